"""What every variant costs a trained checkpoint: accuracy against size, with and without compensated rounding.

    python tests/speed/compression.py --checkpoint CHECKPOINT --output results/compression --scratch DIR

Each variant is exported for real, proven weight by weight and executed on the test split; its floor is taken away, so
that what loses much is measured too. Where weights make up for each other's errors, plain rounding is measured beside
it. Writes OUTPUT.json after each variant, and goes on from there when it is run again; OUTPUT.md and OUTPUT.png at the
end.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from tinyml.export.compression import compensates, name_of
from tinyml.export.pipeline import Exporter
from tinyml.export.variants import variants
from tinyml.schema import Artifact, Floor, Variant
from tinyml.store import read_json, write_bytes
from tinyml.workspace import Workspace

ANY = Floor(top1_agreement=0.0, psnr_db=-1000.0, max_accuracy_drop=1.0)


def rows(names: list[str]) -> list[Variant]:
    """The variants, each that compensates followed by its plain twin."""
    found = []
    for name in names or list(variants):
        row = variants.get(name).model_copy(update={"floor": ANY})
        found.append(row)
        if compensates(row):
            kinds = tuple(
                kind if kind.method == "activations" else kind.model_copy(update={"rounding": "nearest"})
                for kind in row.compression
            )
            plain = row.model_copy(update={"compression": kinds})
            found.append(plain.model_copy(update={"name": name_of(plain)}))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--images", type=int, default=None, help="test images; all if left out")
    parser.add_argument("--data", default=None)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("variants", nargs="*")
    asked = parser.parse_args()
    target = asked.output.with_suffix(".json")
    measured: dict[str, Any] = json.loads(target.read_text()) if target.exists() else {}
    exporter: Exporter | None = None
    for row in rows(asked.variants):
        if row.name in measured:
            continue
        exporter = exporter or Exporter(
            asked.checkpoint, Workspace(asked.scratch), images=asked.images, data=asked.data
        )
        begin, cpu = time.perf_counter(), time.process_time()
        artifact = read_json(exporter.write(row), Artifact)
        assert artifact.verification is not None
        figures = artifact.verification
        measured[row.name] = {
            "bytes": artifact.bytes,
            "checkpoint_top1": figures.reference.top1,
            "top1": figures.artifact.top1,
            "agreement": figures.top1_agreement,
            "psnr_db": figures.psnr_db,
            "images": figures.images,
            "cpu_s": round(time.process_time() - cpu, 1),
            "wall_s": round(time.perf_counter() - begin, 1),
        }
        write_bytes(target, (json.dumps(measured, indent=1) + "\n").encode())
        print(row.name, measured[row.name], flush=True)
    write_bytes(asked.output.with_suffix(".md"), table(measured).encode())
    plot(measured, asked.output.with_suffix(".png"))


def table(measured: dict[str, Any]) -> str:
    lines = [
        "| variant | size (kB) | top-1 | points lost | agreement | PSNR (dB) | time to make and verify (CPU s) |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in sorted(measured.items(), key=lambda item: (-item[1]["bytes"], item[0])):
        lost = 100 * (found["checkpoint_top1"] - found["top1"])
        psnr = "identical" if found["psnr_db"] is None else f"{found['psnr_db']:.1f}"
        lines.append(
            f"| {name} | {found['bytes'] / 1000:.0f} | {found['top1']:.2%} | {lost:+.2f} | {found['agreement']:.2%} "
            f"| {psnr} | {found['cpu_s']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def plot(measured: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for plain, label, color in ((False, "as in the menu", "#1f5fa8"), (True, "rounded to the nearest", "#b45309")):
        some = {name: row for name, row in measured.items() if name.endswith("n") == plain}
        axes.scatter(
            [row["bytes"] / 1000 for row in some.values()],
            [100 * row["top1"] for row in some.values()],
            label=label,
            color=color,
            s=22,
        )
        for name, row in some.items():
            if not plain:
                axes.annotate(name.partition("-")[2], (row["bytes"] / 1000, 100 * row["top1"]), fontsize=6)
    axes.set(xlabel="size (kB)", ylabel="top-1 accuracy (%)", xscale="log", title="Accuracy against size")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
