"""What was sent to a server in confidence: every form of it is kept out of what people are shown."""

import base64
import re
from typing import Final

from reconciler.mailcopy.model.refusal import fit_for_people
from reconciler.model.secret import Secret

_GRAM: Final = 4
"""Characters of BASE64 in a row that are no accident; a secret of four octets makes as many, wherever it stands."""
_RUN: Final = re.compile(rf"[A-Za-z0-9+/_-]{{{_GRAM},}}={{0,2}}")
_ALPHABET: Final = str.maketrans("-_", "+/")
_WEAK: Final = 4  # shorter ones stand in ordinary words, of which only their own spelling is taken out
WITHHELD: Final = "(its words repeat the credentials)"


class Sent:
    """The secrets of one login in the forms in which they went out; ``last`` is the one that was revealed last."""

    __slots__ = ("_encoded", "_forms", "last")

    def __init__(self) -> None:
        """Nothing is sent yet."""
        self.last: Secret | None = None
        self._forms: set[str] = set()
        self._encoded: set[str] = set()

    def __repr__(self) -> str:
        """Never what was sent."""
        return "Sent(***)"

    def reveal(self, secret: Secret) -> str:
        """The value, kept out of all words from now on: plain, quoted (RFC 3501, section 4.3), in whatever BASE64."""
        self.last = secret
        value = secret.reveal()
        self._keep(value)
        self._keep(value.replace("\\", "\\\\").replace('"', '\\"'))
        octets = value.encode("utf-8", "surrogatepass")
        for shift in range(3):  # BASE64 knows three places for an octet; what depends on its neighbours is cut off
            whole = base64.b64encode(bytes(shift) + octets).decode()
            self._keep_encoded(whole[-(-shift * 8 // 6) : (shift + len(octets)) * 8 // 6])
        return value

    def encoded(self, octets: bytes) -> bytes:
        """The octets in BASE64, as a SASL mechanism sends them; no part of it is shown."""
        text = base64.b64encode(octets)
        self._keep_encoded(text.decode().rstrip("="))
        return text

    def derived(self, text: str) -> str:
        """What was made of a secret, such as a digest; it opens nothing elsewhere and is not shown either."""
        self._keep(text)
        self._keep(text.upper())
        return text

    def freed(self, words: str) -> str:
        """A server's words, fit for people and without anything that was sent."""
        plain = _RUN.sub(lambda run: "***" if self._is_encoded(run[0]) else run[0], words)
        told = fit_for_people(plain, *sorted(self._forms, key=len, reverse=True))
        return WITHHELD if any(self._shows(told, form) for form in self._forms) else told

    def _keep(self, form: str) -> None:
        if form:
            self._forms |= {form, "".join(c if c.isprintable() else " " for c in form)}

    def _keep_encoded(self, text: str) -> None:
        self._encoded.update(text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1))

    def _is_encoded(self, run: str) -> bool:
        text = run.translate(_ALPHABET)
        return any(text[start : start + _GRAM] in self._encoded for start in range(len(text) - _GRAM + 1))

    def _shows(self, told: str, form: str) -> bool:
        """Spaces that were folded or letters of another case may put a form together again."""
        if len(form) < _WEAK:
            return form in told
        return " ".join(form.casefold().split()) in told.casefold()
