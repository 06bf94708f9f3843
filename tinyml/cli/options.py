"""The options that several verbs share, each with one name and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RESULTS = Path("results")

Results = Annotated[Path, typer.Option("--results", help="Folder of all results.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Models = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Checkpoints, artifact folders, .mlpackage, .onnx or .aimodel; the newest checkpoint if left out."
    ),
]
Split = Annotated[str, typer.Option("--split", help="train, val or test.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
CheckpointDevice = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps; for checkpoints.")]
TrainedOn = Annotated[
    str | None,
    typer.Option("--data", help="The data set they were trained on, where it lies by now.", metavar="NAME_OR_PATH"),
]
InputValues = Annotated[
    list[str] | None,
    typer.Option("--input", help="name=FILE.npy, name=IMAGE or name=random (the default); repeatable."),
]
InputShapes = Annotated[
    list[str] | None,
    typer.Option(
        "--shape", help="The shape of a flexible input: name=1,20,8, or name=WIDTHxHEIGHT for an image; repeatable."
    ),
]
ProgramPrecision = Annotated[
    str | None, typer.Option(help="declared (rounds as the program says; the default) or float32.")
]
ProgramUnits = Annotated[
    str | None,
    typer.Option(
        "--compute-units",
        help="CPU_ONLY rounds nothing, as Core ML's CPU; ALL, CPU_AND_GPU and CPU_AND_NE round as declared.",
    ),
]
MaxDrop = Annotated[
    float | None,
    typer.Option("--max-drop", help="For --quantize auto: points of top-1 that may be lost.", metavar="POINTS"),
]
MaxSize = Annotated[
    str | None,
    typer.Option(
        "--max-size", help="For --quantize auto: how large the package may be, such as 2.5MB.", metavar="BYTES"
    ),
]
Planned = Annotated[
    Path | None, typer.Option("--plan", help="A plan.json that --quantize auto wrote: made again, exactly.")
]
