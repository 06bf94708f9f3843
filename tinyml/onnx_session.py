"""The one way to open an inference session of onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyml.errors import ArtifactError

CPU_PROVIDER = "CPUExecutionProvider"


def open_session(
    model: Path | bytes,
    *,
    name: object = None,
    threads: int | None = None,
    providers: Sequence[Any] = (CPU_PROVIDER,),
    profile: Path | None = None,
) -> Any:
    """An `onnxruntime.InferenceSession` that says nothing below an error.

    Args:
        model: A file, or a serialized ModelProto.
        name: What errors call it; None: the file.
        threads: Of one op on the CPU; None leaves them to onnxruntime.
        providers: Execution providers, the preferred one first, as onnxruntime takes them.
        profile: How the files of a profile begin; None: none is written.

    Raises:
        ArtifactError: onnxruntime cannot load the model, for whatever reason it has.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Where the processor has no VNNI, the fast kernels for uint8 activations and int8 weights saturate at 16 bits and
    # give other numbers than the model says; this asks for the exact ones (onnxruntime_session_options_config_keys.h).
    options.add_session_config_entry("session.x64quantprecision", "1")
    if threads is not None:
        options.intra_op_num_threads = threads
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    content = model if isinstance(model, bytes) else str(model)
    # Its errors share no base but Exception (onnxruntime/python/onnxruntime_pybind_exceptions.cc registers one a code).
    refusals = (
        state.EPFail,
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NoSuchFile,
        state.NotImplemented,
        state.RuntimeException,
    )
    try:
        return onnxruntime.InferenceSession(content, options, providers=list(providers))
    except refusals as error:
        raise ArtifactError(f"onnxruntime cannot load {model if name is None else name}", value=str(error)) from None
