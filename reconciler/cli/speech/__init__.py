"""How a command speaks: the console, progress, the table of a copy, its report."""
