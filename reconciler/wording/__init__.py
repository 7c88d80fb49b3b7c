"""How anything is said: lists, sizes, times, colour. Knows nothing of moves."""
