"""What a server tells of a folder when it opens it (RFC 3501, section 6.3.1)."""

import re
from dataclasses import dataclass
from typing import Final

from reconciler.mailcopy.imap.wire import Parts
from reconciler.mailcopy.model.flags import EVERYTHING, Allowed

EXPUNGE: Final = re.compile(rb"\* \d+ EXPUNGE\b", re.IGNORECASE)
_EXISTS: Final = re.compile(rb"\* (\d+) EXISTS\b", re.IGNORECASE)
_CODE: Final = re.compile(rb"\* \w+ \[(UIDVALIDITY|UIDNEXT) (\d+)\]", re.IGNORECASE)
_PERMANENT: Final = re.compile(rb"\* \w+ \[PERMANENTFLAGS \(([^)]*)\)\]", re.IGNORECASE)


@dataclass(slots=True)
class Opening:
    """A folder as it was opened; ``exists`` is None where the server does not say, the others 0."""

    exists: int | None = None
    uidvalidity: int = 0
    uidnext: int = 0
    allowed: Allowed = EVERYTHING

    def hear(self, parts: Parts) -> None:
        """Take one response in; any other is passed over."""
        if number := _EXISTS.match(parts[0]):
            self.exists = int(number[1])
        elif code := _CODE.match(parts[0]):
            if code[1].upper() == b"UIDNEXT":
                self.uidnext = int(code[2])
            else:
                self.uidvalidity = int(code[2])
        elif permanent := _PERMANENT.match(parts[0]):
            self.allowed = Allowed.of(permanent[1].decode("utf-8", "replace").split())
