"""The lines of daemons' logs that complain of something."""

import re
from collections.abc import Mapping

_TROUBLE = re.compile(  # whole words: session ids may spell anything
    r"\b(warnings?|errors?|fatal|panic|status=(bounced|deferred)|reject(s|ed)?|fail(s|ed|ure|ures|ing)?|denied|refused)\b",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"built with"  # BIND tells how it was compiled
    r"|\(no auth attempts in"  # the lab's own look whether Dovecot answers
    r"|file system clock is|resetting file time stamps"  # this machine's two clocks differ by a tick
    r"|Killed with signal 15"  # the lab stops it
)


def complaints(logs: Mapping[str, str], expected: str = "(?!)") -> str:
    """Each with its daemon; without those that a test expects, by a regular expression."""
    known = re.compile(expected)
    return "\n".join(
        f"{name}: {line}"
        for name, text in logs.items()
        for line in text.splitlines()
        if _TROUBLE.search(line) and not _HARMLESS.search(line) and not known.search(line)
    )
