"""The page of what compression costs: OUTPUT.md and OUTPUT.png of the OUTPUT.json that `compression.py` writes.

python tests/speed/compression_page.py results/compression
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyml.bench.markdown_table import table
from tinyml.counting import counted
from tinyml.export.compression import compensates
from tinyml.export.variants import variants
from tinyml.store import write_bytes

Figures = dict[str, Any]

_LETTERS = 6.0
"""The size of names in the picture, in points."""


def page(found: Figures) -> str:
    """The page, as Markdown."""
    lines = [
        "# What compression costs",
        "",
        "Each package was made, every weight of it proven against the checkpoint's, and executed by the reference "
        "runtime (ONNX by onnxruntime) on images that nothing was trained, calibrated or chosen on. Points lost are "
        "points of top-1 accuracy against the checkpoint on the same images; ± is their standard error, from the "
        "answers that changed between right and wrong. A goal is met where the figure is not above it; no allowance "
        "is made for the error.",
        "",
        f"Machine: {found['machine']}; one thread.",
        "",
        "```sh",
        *found["commands"],
        "```",
    ]
    for name, network in found.get("networks", {}).items():
        lines += ["", f"## {name}", "", *_about(network["about"]), *_variants(network)]
        lines += [*_tuned(network), *_auto(network)]
        lines += [*(f"- {line}" for line in network.get("tried", ())), ""]
    lines += _untrained(found.get("untrained", {}))
    lines += [f"- {line}" for line in found.get("untrained_notes", ())]
    while lines[-1] == "":
        lines.pop()
    return "\n".join(lines) + "\n"


def lost(figures: Figures) -> float:
    """Points of top-1."""
    return float(100 * (figures["worse"] - figures["better"]) / figures["images"])


def error(figures: Figures) -> float:
    """The standard error of the points lost."""
    worse, better, count = figures["worse"], figures["better"], figures["images"]
    return 100 * math.sqrt(max(0.0, worse + better - (worse - better) ** 2 / count)) / float(count)


def told(figures: Figures) -> str:
    """Points lost with their error."""
    return f"{lost(figures):+.2f} ± {error(figures):.2f}"


def verdict(figures: Figures) -> str:
    """Whether the goal is met; a dash where there is none."""
    goal = figures.get("goal")
    if goal is None:
        return "-"
    return "met" if lost(figures) <= goal + 1e-9 else f"missed by {lost(figures) - goal:.2f}"


def _goal(figures: Figures) -> str:
    return "-" if figures.get("goal") is None else f"{figures['goal']:g}"


def _with_images(network: Figures, figures: Figures) -> Figures:
    return figures | {"images": network["about"]["images"]}


def _about(about: Figures) -> list[str]:
    return [
        f"{about['architecture']}, {about['parameters'] / 1e6:.2f} million parameters, after {about['epochs']} epochs "
        f"on {about['data']}: {about['top1']:.2%} on {about['images']:,} of {about['of_images']:,} test images. "
        f"Checkpoint `{about['checkpoint_sha256'][:12]}`.",
        "",
    ]


def _variants(network: Figures) -> list[str]:
    found = {name: _with_images(network, figures) for name, figures in network.get("variants", {}).items()}
    if not found:
        return []
    twins = {figures["nearest_of"]: figures for figures in found.values() if figures["nearest_of"]}
    menu = sorted(
        ((name, figures) for name, figures in found.items() if not figures["nearest_of"]),
        key=lambda item: (-item[1]["bytes"], item[0]),
    )
    rows = [
        [
            name,
            figures["summary"],
            f"{figures['bytes'] / 1000:.0f}",
            f"{figures['top1']:.2%}",
            told(figures),
            _goal(figures),
            verdict(figures),
            told(twins[name]) if name in twins else "-",
            f"{figures['agreement']:.2%}",
            "identical" if figures["psnr_db"] is None else f"{figures['psnr_db']:.1f}",
            f"{figures['make_cpu_s']:.1f}",
        ]
        for name, figures in menu
    ]
    judged = [verdict(figures) for _, figures in menu if figures["goal"] is not None]
    columns = (
        "variant",
        "what it is",
        "size (kB)",
        "top-1",
        "points lost",
        "goal",
        "",
        "rounded to the nearest",
        "agreement",
        "PSNR (dB)",
        "made in (CPU s)",
    )
    return [
        "### Without training",
        "",
        f"{judged.count('met')} of {len(judged)} goals met. Weights make up for each other's errors, but for those "
        "that a scale of 8 bits holds; the column beside has the points lost where each is rounded to the nearest.",
        "",
        *table(columns, rows, text_columns=2),
        "",
        *_not_measured(network),
    ]


def _not_measured(network: Figures) -> list[str]:
    """A sentence about what the page has no figure of."""
    lacking = [name for name in variants if name not in network["variants"]]
    plain = [name for name, row in variants.items() if compensates(row)]
    if not any(figures["nearest_of"] for figures in network["variants"].values()):
        lacking.append(f"plain rounding of {len(plain)} variants")
    lacking += [words for part, words in (("auto", "plans by layer"), ("tuned", "training")) if part not in network]
    return [f"Not measured of this network: {', '.join(lacking)}.", ""] if lacking else []


def _tuned(network: Figures) -> list[str]:
    lines = []
    for length, found in network.get("tuned", {}).items():
        plain = network.get("variants", {})
        rows = []
        for name, tuned in found.items():
            figures = _with_images(network, tuned)
            rows.append(
                [
                    name,
                    f"{figures['bytes'] / 1000:.0f}",
                    told(_with_images(network, plain[name])) if name in plain else "-",
                    told(figures),
                    _goal(figures),
                    verdict(figures),
                    f"{figures['train_cpu_s'] / 60:.0f}",
                ]
            )
        word = counted(int(length), "epoch") if length.isdigit() else length
        lines += [
            f"### Trained for, {word}",
            "",
            *table(
                ("variant", "size (kB)", "points lost as rounded", "points lost when trained", "goal", "", "CPU min"),
                rows,
                text_columns=1,
            ),
            "",
        ]
    return lines


def _auto(network: Figures) -> list[str]:
    found = network.get("auto", {})
    if not found:
        return []
    rows, others = [], []
    for case in found.values():
        figures = {who: _with_images(network, each) for who, each in case["figures"].items()}
        over = {who: _with_images(network, each) for who, each in case["auto_over"].items()}
        # What auto answers rightly and the other wrongly counts as worse there: what the other loses, auto gains.
        gained = {who: f"{lost(each):+.2f} ± {error(each):.2f}" for who, each in over.items()}
        rows.append(
            [
                case["setting"],
                f"{case['bits']} bits",
                *(
                    f"{figures[who]['bytes'] / 1000:.0f} kB, {told(figures[who])}" if who in figures else "-"
                    for who in ("uniform", "greedy", "auto")
                ),
                gained["uniform"],
                gained.get("greedy", "-"),
                f"{case['search_s']}",
            ]
        )
        others.append(_never_worse(network, case, figures["auto"]))
    columns = (
        "what a layer can become",
        "within the size of the palette of",
        "uniform palette",
        "greedy walk",
        "auto",
        "auto over uniform",
        "auto over greedy",
        "search (s)",
    )
    return [
        "### auto: bits and kind by layer",
        "",
        "Plans are judged on validation images; here are their sizes and points lost on the test images. The greedy "
        "walk is that of Apple's coreai-opt on the same table of sensitivities.",
        "",
        *table(columns, rows, text_columns=2),
        "",
        *others,
        "",
    ]


def _never_worse(network: Figures, case: Figures, auto: Figures) -> str:
    """A sentence about all uniform variants that are no larger."""
    fitting = {
        name: _with_images(network, figures)
        for name, figures in network.get("variants", {}).items()
        if name.startswith("coreml") and figures["bytes"] <= max(auto["bytes"], case["figures"]["uniform"]["bytes"])
    }
    where = f"- {case['setting']}, {case['bits']} bits: "
    if not fitting:
        return f"{where}no uniform variant is as small."
    best = min(fitting, key=lambda name: lost(fitting[name]))
    better = [name for name, figures in fitting.items() if lost(figures) < lost(auto)]
    of = f"of the {len(fitting)} uniform variants that are no larger, the best is {best} ({told(fitting[best])}, "
    told_of = f"{fitting[best]['bytes'] / 1000:.0f} kB)"
    return f"{where}{of}{told_of}; {len(better) or 'none'} lose{'s' * (len(better) < 2)} less than auto."


def _untrained(found: Figures) -> list[str]:
    if not found:
        return []
    names = list(dict.fromkeys(name for network in found.values() for name in network["variants"]))
    menu = [
        name
        for name in names
        if not any(network["variants"].get(name, {}).get("nearest_of") for network in found.values())
    ]
    rows = [
        [
            name,
            str(network["about"]["images"]),
            *(
                f"{each['agreement']:.1%}, {each['bytes'] / 1e6:.1f} MB"
                if (each := network["variants"].get(v))
                else "-"
                for v in menu
            ),
        ]
        for name, network in found.items()
    ]
    return [
        "## Agreement of all architectures",
        "",
        "Not trained: features at random, the last layer solved for on the images that are asked, so that there are "
        "answers that rounding can turn. Agreement with the checkpoint's first class, and the size.",
        "",
        *table(("network", "images", *menu), rows, text_columns=1),
        "",
    ]


def plot(found: Figures, path: Path) -> None:
    """Accuracy against size, a panel a network."""
    # A Figure of its own instead of pyplot: no global state, no display.
    from matplotlib.figure import Figure

    networks = found.get("networks", {})
    if not networks:
        return
    figure = Figure(figsize=(11, 5.2 * len(networks)), layout="constrained")
    panels = figure.subplots(len(networks), squeeze=False)[:, 0]
    for axes, (name, network) in zip(panels, networks.items(), strict=True):
        menu = {n: f for n, f in network.get("variants", {}).items() if not f["nearest_of"]}
        nearest = {n: f for n, f in network.get("variants", {}).items() if f["nearest_of"]}
        tuned = {f"{n} tuned": f for each in network.get("tuned", {}).values() for n, f in each.items()}
        plans = [case["figures"] for case in network.get("auto", {}).values()]
        autos = {f"auto {n}": each["auto"] for n, each in enumerate(plans)}
        walks = {f"greedy {n}": each["greedy"] for n, each in enumerate(plans) if "greedy" in each}
        for points, label, color, marker in (
            (nearest, "rounded to the nearest", "#c4c9d1", "o"),
            (menu, "as in the menu", "#0b6e99", "o"),
            (tuned, "trained for", "#5b21b6", "^"),
            (walks, "greedy walk", "#b45309", "s"),
            (autos, "auto", "#c2185b", "*"),
        ):
            if points:
                size = 70 if marker == "*" else 24
                axes.scatter(*_places(points.values()), label=label, color=color, marker=marker, s=size, zorder=3)
        axes.axhline(100 * network["about"]["top1"], color="#8a97a6", linewidth=0.8, linestyle="--")
        axes.set(xlabel="size (kB)", ylabel="top-1 accuracy (%)", xscale="log")
        axes.set_title(f"{name} on {network['about']['images']:,} test images; dashed: the checkpoint")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="x", which="minor", labelsize=6)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="lower right")
        figure.draw_without_rendering()  # only then are places on the paper known
        for place, words in _readable(menu, axes):
            axes.annotate(words, place, fontsize=_LETTERS, xytext=(3, 3), textcoords="offset points")
    figure.savefig(path, dpi=90, metadata={"Software": None})


def _readable(menu: dict[str, Figures], axes: Any) -> list[tuple[tuple[float, float], str]]:
    """Names where they hide no other name: those first that are the most accurate of their size or smaller."""
    smallest = sorted(menu, key=lambda n: (menu[n]["bytes"], -menu[n]["top1"]))
    best = itertools.accumulate((menu[n]["top1"] for n in smallest), max)
    front = [n for n, most in zip(smallest, best, strict=True) if menu[n]["top1"] >= most]
    unit = axes.figure.dpi / 72
    taken: list[tuple[float, float, float, float]] = []
    found: list[tuple[tuple[float, float], str]] = []
    for n in dict.fromkeys((*front, *smallest)):
        place, words = (menu[n]["bytes"] / 1000, 100 * menu[n]["top1"]), n.removeprefix("coreml-")
        left, bottom = axes.transData.transform(place) + 3 * unit
        right, top = left + 0.65 * _LETTERS * len(words) * unit, bottom + _LETTERS * unit
        if not any(left < x1 and right > x0 and bottom < y1 and top > y0 for x0, x1, y0, y1 in taken):
            taken.append((left, right, bottom, top))
            found.append((place, words))
    return found


def _places(points: Any) -> tuple[list[float], list[float]]:
    each: Sequence[Figures] = list(points)
    return [f["bytes"] / 1000 for f in each], [100 * f["top1"] for f in each]


def main() -> None:
    output = Path(sys.argv[1])
    found = json.loads(output.with_suffix(".json").read_text())
    write_bytes(output.with_suffix(".md"), page(found).encode())
    plot(found, output.with_suffix(".png"))


if __name__ == "__main__":
    main()
