"""Foreign libraries that talk (coremltools, tqdm, onnxruntime's calibration), silenced around a call and no longer."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

_LOGGERS = ("coremltools", "torch.onnx", "onnxscript", "onnx_ir")


class _QuietRoot(logging.Filter):
    """Drops what a library says through the root logger itself; our own messages never take that way."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Holds back bars, prints and messages below an error while the block runs.

    Bars are switched off at tqdm itself, since coremltools has no option for it; standard error stays untouched, so
    that our own progress shows on. What the libraries print on standard output (onnxruntime's calibration) is dropped.
    """
    from tqdm.std import tqdm

    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    root_filter, root = _QuietRoot(), logging.getLogger()
    original = tqdm.__init__
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    root.addFilter(root_filter)
    tqdm.__init__ = functools.partialmethod(original, disable=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            # coremltools 9.0 calls its own deprecated registry, and leaves a temporary folder to the garbage collector.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"coremltools\.")
            warnings.filterwarnings("ignore", category=ResourceWarning, message="Implicitly cleaning up")
            yield
    finally:
        tqdm.__init__ = original
        root.removeFilter(root_filter)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def coremltools() -> Any:
    """The module, imported without its remarks on versions and on what it cannot do off a Mac."""
    with quiet():
        import coremltools
        import coremltools.optimize.coreml
    return coremltools
