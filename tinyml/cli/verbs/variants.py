"""`tinyml variants`: the export menu, and how large a model becomes."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..output import Output


@app.command()
def variants(
    model: Annotated[str, typer.Option("--model", help="Whose size to tell; see: tinyml models")] = "resnet",
    classes: Annotated[int, typer.Option("--classes", help="Number of classes of the data set.", min=1)] = 200,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """List what a checkpoint can be exported as: what each does, the oldest system, bits a weight, the size."""
    from tinyml.export.size import expected_bytes, meta_network
    from tinyml.export.variants import nominal_bits
    from tinyml.export.variants import variants as menu

    out = Output(json=json)
    network = meta_network(model, classes)
    rows = [(row, nominal_bits(row), expected_bytes(row, network)) for _, row in menu.items()]
    out.table(
        f"Variants, sizes of {model} for {classes} classes",
        ["variant", "what it does", "oldest target", "bits a weight", "size"],
        [
            [row.name, row.summary, row.minimum_target or "any", f"{bits:g}", f"{size / 1e6:.2f} MB"]
            for row, bits, size in rows
        ],
    )
    out.document(
        [
            {
                "name": row.name,
                "summary": row.summary,
                "minimum_target": row.minimum_target,
                "bits_per_weight": bits,
                "expected_bytes": size,
            }
            for row, bits, size in rows
        ]
    )
