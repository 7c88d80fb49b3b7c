"""DMARC policy records, tag by tag (RFC 9989)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from reconciler.model.tags import Tags

VERSION: Final = "DMARC1"
REMOVED: Final = ("pct", "rf", "ri")  # once tags, removed by RFC 9989
_FIRST: Final = ("p", "sp", "np")  # policies first; the rest keeps its order
_VERSION = re.compile(r"\s*v\s*=\s*DMARC1\s*(?:;|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """The tags of one record without ``v``: policies first, then the others as they stood."""

    tags: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """One line, the version first."""
        return str(Tags((("v", VERSION), *self.tags)))

    def get(self, name: str) -> str | None:
        """The value of a tag; None if there is none."""
        return dict(self.tags).get(name)

    def with_tags(self, tags: Mapping[str, str]) -> "Policy":
        """Those tags win, the others stay; what is no tag any more goes."""
        return Policy.of({**dict(self.tags), **tags})

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self:
        """In the order that people expect, without the removed tags."""
        kept = {name: value for name, value in tags.items() if name not in {"v", *REMOVED}}
        return cls(tuple((name, kept.pop(name)) for name in _FIRST if name in kept) + tuple(kept.items()))

    @classmethod
    def parse(cls, text: str) -> Self:
        """A record's text, read as receivers do: what is no tag is passed over (RFC 9989, section 4.8).

        Raises:
            ValueError: it is not a DMARC record.

        """
        if not is_dmarc(text):
            msg = f"{text!r} is not a DMARC record: it does not begin with v={VERSION}"
            raise ValueError(msg)
        pairs = {name.lower(): value for name, value in reversed(Tags.parse_leniently(text).pairs)}
        return cls(tuple(reversed([(name, value) for name, value in pairs.items() if name != "v"])))


def is_dmarc(text: str) -> bool:
    """Whether a TXT string is a DMARC record, whatever blanks and letter case it has."""
    return _VERSION.match(text) is not None
