"""`python -m tinyml`, the same as the command `tinyml`."""

from tinyml.cli import main

if __name__ == "__main__":
    main()
