"""Secrets are references until the moment of sending."""

import re
from typing import Final

_SCHEMES: Final = ("env", "file", "command")
_REFERENCE = re.compile(rf"({'|'.join(_SCHEMES)}):(.+)\Z", re.DOTALL)


class Secret:
    """A value that no log, repr, format or exception shows; only ``reveal()`` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take hold of the value."""
        self._value = value

    def reveal(self) -> str:
        """The value itself: call this in the statement that sends it."""
        return self._value

    def __repr__(self) -> str:
        """Never the value."""
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be pickled.

        Raises:
            TypeError: always.

        """
        msg = "a Secret is not serialised"
        raise TypeError(msg)


def is_reference(text: str) -> bool:
    """Whether the text names a secret instead of being one: ``env:NAME``, ``file:PATH``, ``command: ARGV``."""
    return _REFERENCE.match(text) is not None


def parse_reference(text: str) -> tuple[str, str]:
    """Scheme and rest of a reference.

    Raises:
        ValueError: it is not a reference; the message does not repeat the text, which may be the secret itself.

    """
    match = _REFERENCE.match(text)
    if match is None:
        msg = "a secret must be a reference: env:NAME, file:PATH or command: PROGRAM ARGUMENT…"
        raise ValueError(msg)
    return match[1], match[2].strip()
