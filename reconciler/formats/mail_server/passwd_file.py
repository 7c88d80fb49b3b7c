"""Dovecot's passwd-file: ``user:password:uid:gid:(gecos):home:(shell):extra_fields``, one account a line.

Source: doc.dovecot.org, 2.3, "Passwd-file"; tested with Dovecot 2.3.19.
"""

from dataclasses import dataclass
from typing import Final

from reconciler.formats.mail_server.line_text import Text
from reconciler.formats.templates import normal, same_domain

_FIELDS: Final = 8
_PASSWORD, _UID, _GID, _GECOS, _HOME, _SHELL, _EXTRA = range(1, _FIELDS)


@dataclass(frozen=True, slots=True)
class Account:
    """One line. ``index`` counts from 0; ``fields`` are as they stand, and may be fewer than eight."""

    index: int
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """One field, empty where the line is too short for it."""
        return self.fields[number] if number < len(self.fields) else ""

    @property
    def password(self) -> str:
        """The hash as it stands; for a Secret only."""
        return self.field(_PASSWORD)

    @property
    def owner(self) -> tuple[str, str]:
        """The uid and gid fields: numbers, names or empty."""
        return self.field(_UID), self.field(_GID)

    @property
    def home(self) -> str:
        """The home directory, empty if the server knows it from elsewhere."""
        return self.field(_HOME)

    @property
    def display_name(self) -> str:
        """The gecos field; text that is not UTF-8 is taken for ISO 8859-1, which old files are in."""
        gecos = self.field(_GECOS)
        return gecos.encode("utf-8", "surrogateescape").decode("latin-1") if self.is_latin_1 else gecos

    @property
    def is_latin_1(self) -> bool:
        """Whether the gecos field is not UTF-8."""
        gecos = self.field(_GECOS)
        return not gecos.isascii() and any("\udc80" <= character <= "\udcff" for character in gecos)

    def extra_fields(self) -> dict[str, str]:
        """The extra fields by name; of several with one name the last, which is the one that counts."""
        return {key: value for key, _, value in (word.partition("=") for word in self._words()) if key}

    def extra_field(self, name: str) -> str | None:
        """The value of an extra field, None if there is none."""
        return self.extra_fields().get(name)

    def beyond(self, *, uid: str | None, gid: str | None, home: str) -> list[str]:
        """The names of the fields that say more than ``new_line`` with these; the uid or gid None: any will do.

        The password and the display name are not looked at: their users change them.
        """
        expected = {"uid": (_UID, uid), "gid": (_GID, gid), "home": (_HOME, home), "shell": (_SHELL, "")}
        found = [name for name, (number, value) in expected.items() if value not in {None, self.field(number)}]
        return [*found, *(name for name in self.extra_fields() if name.isprintable())]

    def with_display_name(self, name: str) -> str:
        """The line with another gecos field; one that we lengthened for it becomes short again."""
        fields = [*self.fields, *[""] * (_GECOS + 1 - len(self.fields))]
        fields[_GECOS] = name
        missing = _FIELDS - _GECOS - 1
        if not name and len(fields) == _GECOS + 1:
            while not fields[-1]:
                fields.pop()
        elif (
            not name and _blanks("".join(fields[_EXTRA:])) == missing
        ):  # an extra field came after: its colons grow by ours
            short = next(number for number in range(_GECOS, 0, -1) if fields[number - 1])
            fields[_EXTRA] = " " * (_FIELDS - short) + fields[_EXTRA].lstrip(" ")
        return ":".join(fields)

    def with_extra(self, name: str, value: str | None) -> str:
        """The line with another value in an extra field, or without the field.

        A line that is too short gets as many blanks before its first extra field as it gets colons: Dovecot skips
        them, and they tell how many colons go with the field.
        """
        missing = _FIELDS - len(self.fields)
        fields = [*self.fields, *[""] * missing]
        extra = fields[_EXTRA]
        words = extra.split(" ")
        found = [number for number, word in enumerate(words) if word.partition("=")[0] == name]
        new = f"{name}={value}"
        if value is None:
            fields[_EXTRA] = " ".join(word for number, word in enumerate(words) if number not in found)
            ours = _blanks(extra)
            if found and not any(field.strip() for field in fields[_FIELDS - ours :]):
                del fields[_FIELDS - ours :]
        elif found:
            words[found[-1]] = new
            fields[_EXTRA] = " ".join(words)
        elif missing:
            fields[_EXTRA] = " " * missing + new
        else:
            fields[_EXTRA] = f"{extra} {new}" if extra.strip() else " ".join(filter(None, (new, extra)))
        return ":".join(fields)

    def _words(self) -> list[str]:
        return self.field(_EXTRA).split(" ")


def _blanks(extra: str) -> int:
    """How many blanks stand before the first extra field."""
    return len(extra) - len(extra.lstrip(" "))


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one domain by address, in file order, and the text that they stand in.

    ``first`` is the first account of any domain: a pattern for new lines.
    """

    text: Text
    by_address: dict[str, Account]
    first: Account | None


def parse(text: Text, domain: str) -> Accounts:
    """The accounts of a domain. Users without ``@`` are of another kind, and other domains are not ours.

    Raises:
        ObserveError: a line has no password field (a half-written file ends like that) or blanks in its user name, or
            an account of the domain stands twice, of which Dovecot takes the first.

    """
    found: dict[str, Account] = {}
    first = None
    for index, line in enumerate(text.lines):
        if not line or line[0] in "#:":
            continue  # Dovecot skips these and no others
        user, colon, _ = line.partition(":")
        if not colon:
            raise text.error(index, "the line has no password field: expected user:password:…; was it written in full?")
        if not user.isprintable() or " " in user:
            raise text.error(index, f"{user!r} cannot be a user name: there are blanks or control characters in it")
        local, at, of = user.rpartition("@")
        if not at or not local:
            continue
        account = Account(index, tuple(line.split(":", _FIELDS - 1)))
        first = first or account
        if not same_domain(of, domain):
            continue
        name = normal(user)
        if name in found:
            raise text.error(
                index, f"{name} stands here and in line {found[name].index + 1}; Dovecot takes the first: remove one"
            )
        found[name] = account
    return Accounts(text, found, first)


def new_line(address: str, password: str, *, uid: str, gid: str, display_name: str, home: str) -> str:
    """The line of a new account, without extra fields."""
    return f"{address}:{password}:{uid}:{gid}:{display_name}:{home}::"
