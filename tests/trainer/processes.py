"""A training of the tiny network in processes of its own, to be killed, interrupted or shared for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tinyml.trainer.data import Dataset

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys, time
from pathlib import Path
from tests_conftest import TinyNet
import tinyml.trainer.loop as loop
import tinyml.trainer.prepare as prepare
from tinyml.cli import main
from tinyml.trainer.architecture import Architecture, architectures
from tinyml.trainer.data.dataset import open_prepared

class SlowNet(TinyNet):
    def forward(self, images):
        if self.training:
            time.sleep({pause})
        return super().forward(images)

architectures.add("tiny", Architecture(title="T", paper="-", build=lambda c, d, _: SlowNet(c, d), dropout={dropout},
                                       has_drop_path=False))
prepare.open_dataset = lambda name, progress: open_prepared(Path(name), again="-")
loop.plot_history = lambda *_: None
main(sys.argv[1:])
"""

ARGUMENTS = ("train", "tiny", "--batch-size", "8", "--lr", "0.05", "--seed", "3", "--device", "cpu")
ALONE = (sys.executable,)
TOGETHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def start(
    folder: Path,
    colors: Dataset,
    *options: str,
    how: tuple[str, ...] = ALONE,
    dropout: float = 0.0,
    pause: float = 0.0,
) -> subprocess.Popen[str]:
    """`tinyml train tiny` in `folder`, by one process or several.

    Args:
        folder: For the script, and what it is started in.
        colors: The data.
        options: Beside ARGUMENTS.
        how: What executes a script.
        dropout: Of the network: a draw of random numbers in each step.
        pause: Seconds that each step takes longer.
    """
    (folder / "tests_conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (folder / "script.py").write_text(SCRIPT.format(pause=pause, dropout=dropout))
    return subprocess.Popen(
        [*how, "script.py", *ARGUMENTS, "--data", str(colors.path), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit code, output and messages."""
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err
