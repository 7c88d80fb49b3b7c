"""Values for programs: JSON in which no control character stands as it is, whatever the values are.

JSON escapes those below U+0020 and Python's writer all outside ASCII; DEL it does not, which a terminal may obey too.
"""

import json
from typing import Any


def json_text(data: Any, *, indent: int | None = None) -> str:
    """One value, without a line end; whoever reads it gets each text exactly as it was."""
    return json.dumps(data, indent=indent).replace("\x7f", "\\u007f")
