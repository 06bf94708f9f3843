"""The root command and its one exit: errors become one line and an exit code here, nowhere else.

Exit codes: 0 done, 1 refused or failed, 2 usage, 3 a limit was not kept, 69 cannot run here, 130 interrupted,
143 terminated.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .output import tell_every_character
from .stopping import Stop, stoppable
from .suggestions import STANDS_ALONE, nearest_option

# Plain help texts: drawing them with rich would cost more than all other imports together.
app = typer.Typer(
    name="tinyml",
    help="Train a small image classifier, export it to Core ML and ONNX, prove it right, measure it.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EXIT_FAILED, EXIT_USAGE, EXIT_LIMIT, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 2, 3, 69, 130


def _version(asked: bool) -> None:
    if asked:
        from tinyml import __version__

        typer.echo(f"tinyml {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Train a small image classifier, export it to Core ML and ONNX, prove it right, measure it."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits; `arguments` default to those of the process."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code, every expected error told in one line on standard error."""
    with stoppable() as stop:
        code = _run(arguments, stop)
        # The command line's own library turns an interrupt into a code and says nothing.
        return _fail(stop.word, stop.code) if stop.number is not None and code != stop.code else code


def _run(arguments: list[str] | None, stop: Stop) -> int:
    from tinyml.errors import TinyMLError, UnavailableError, UsageError

    tell_every_character()
    try:
        code = app(arguments, prog_name="tinyml", standalone_mode=False)
        if stop.number is not None:
            return _fail(stop.word, stop.code)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError) and stop.number is None:  # which nobody who stops it brings about
            raise error.__cause__ from None
        return _fail(stop.word, stop.code)
    except typer.TyperException as error:
        if "\n" in error.format_message():  # a command without arguments: the message is its help page
            typer.echo(error.format_message(), err=True)
            return EXIT_USAGE
        return _fail(_usage_message(error), EXIT_USAGE)
    except UsageError as error:
        return _fail(str(error), EXIT_USAGE)
    except UnavailableError as error:
        return _fail(str(error), EXIT_UNAVAILABLE)
    except TinyMLError as error:
        return _fail(str(error), EXIT_FAILED)
    except BrokenPipeError:
        # The reader of a pipe has gone (`tinyml models | head`); flushing at exit would complain once more.
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115
        return EXIT_FAILED
    except OSError as error:
        return _fail(_os_message(error), EXIT_FAILED)
    except Exception:
        # What a library made of an interrupt that met it in an import: half a module, an error of another kind.
        if stop.number is None:
            raise
        return _fail(stop.word, stop.code)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    typer.echo(f"error: {message}", err=True)
    return code


def _usage_message(error: typer.TyperException) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is None:
        return text
    option = getattr(error, "option_name", None)
    if option is not None and hasattr(error, "possibilities"):
        known = (name for parameter in context.command.params for name in (*parameter.opts, *parameter.secondary_opts))
        near = nearest_option(option, (name for name in known if name.startswith("--")))
        alone = option in STANDS_ALONE and any(p.param_type_name == "argument" for p in context.command.params)
        meant = f"; did you mean {near}?" if near else "; here it is given without an option" if alone else ""
        text = f"no such option: {option}{meant}"
    return f"{text}; see: {context.command_path} --help"


def _os_message(error: OSError) -> str:
    from tinyml.errors import reason_of

    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{reason_of(error)}"
