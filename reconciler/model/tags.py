"""Tag lists, ``v=DKIM1; k=rsa; p=…``: what DKIM keys and DMARC policies are written in (RFC 6376, section 3.2)."""

import re
from dataclasses import dataclass
from typing import Self

_TAG = re.compile(r"\s*(?P<name>[A-Za-z][A-Za-z0-9_]*)\s*=\s*(?P<value>[!-:<-~]+(?:\s+[!-:<-~]+)*|)\s*\Z")


@dataclass(frozen=True, slots=True)
class Tags:
    """Name and value pairs in their order; no name stands twice. Names count by letter case."""

    pairs: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """One line, a semicolon and a blank between tags."""
        return "; ".join(f"{name}={value}" for name, value in self.pairs)

    def get(self, name: str) -> str | None:
        """The value of a tag; None if there is none."""
        return dict(self.pairs).get(name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """A whole list; a semicolon may close it.

        Raises:
            ValueError: a part is no tag, or a tag stands twice; receivers then ignore the list.

        """
        pairs = []
        for part in text.removesuffix(";").rstrip().removesuffix(";").split(";"):
            match = _TAG.match(part)
            if match is None:
                msg = f"{part.strip()!r} is not NAME=VALUE, as each part of a tag list is"
                raise ValueError(msg)
            pairs.append((match["name"], match["value"]))
        tags = cls(tuple(pairs))
        if len(dict(pairs)) != len(pairs):
            msg = f"a tag stands twice in {text!r}: receivers ignore the whole list"
            raise ValueError(msg)
        return tags

    @classmethod
    def parse_leniently(cls, text: str) -> Self:
        """The parts that are tags, the first one of each name."""
        pairs: dict[str, str] = {}
        for part in text.split(";"):
            if match := _TAG.match(part):
                pairs.setdefault(match["name"], match["value"])
        return cls(tuple(pairs.items()))
