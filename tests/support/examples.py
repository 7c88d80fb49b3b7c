"""How many random examples a property is tried on: all of them in ``make test``, a third before each commit."""

import os

FEW = os.environ.get("RECONCILER_EXAMPLES") == "few"  # as make check says
_FEWEST = 5


def examples(number: int) -> int:
    """So many; a third of them where few are asked for, and never less than five."""
    return max(_FEWEST, number // 3) if FEW else number
