"""What a seed may be."""

LARGEST_SEED = 2**32 - 1
"""What every library's generator takes."""
