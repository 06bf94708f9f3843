"""How weights become what is stored: grids of values, rounding onto them, and the ops that unpack them."""
