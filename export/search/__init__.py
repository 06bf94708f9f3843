"""Which compression each layer shall have: sensitivities that are executed, and the best plan under them."""
