"""What the command line does with packages: convert, compare, profile, describe."""
