"""The command `tinyml`, the same as `python -m tinyml`."""

from tinyml.signals import leave_at_once


def main() -> None:
    """Runs the command line and exits."""
    leave_at_once()
    from tinyml.cli import main as run

    run()


if __name__ == "__main__":
    main()
