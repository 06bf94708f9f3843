"""What a mistyped option is answered with."""

from __future__ import annotations

import pytest
import typer

from tinyml.cli.app import app, run
from tinyml.cli.suggestions import CALLED_ELSEWHERE, nearest_option
from tinyml.cli.verbs import load_verbs  # noqa: F401
