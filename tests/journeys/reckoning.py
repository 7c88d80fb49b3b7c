"""What became of every message: each letter against all Maildirs of both servers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.lab.mail_server import Stored
from tests.lab.sender import NUMBER, Letter

_SLACK = 1.0  # seconds between the moment that a script is looked up and that of the delivery's name


@dataclass(frozen=True)
class Flip:
    """Somebody's forward to the old server was switched by the tool, at some moment between two times."""

    mailbox: str
    began: float
    ended: float
    on: bool


@dataclass
class Figures:
    """How many; what is a list must be empty at the end of a good move."""

    sent: int = 0
    delivered: int = 0
    forwarded: int = 0
    left_on_old: int = 0
    """Written on the old server to somebody who reads on the new one only: for the mail copy to bring."""
    repeated: int = 0
    """Came twice because a connection or a server broke behind the message (RFC 5321, section 4.5.4.2)."""
    retried: int = 0
    by_server: Counter[str] = field(default_factory=Counter)
    bounced: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    not_forwarded: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        lists = {"bounced": self.bounced, "lost": self.lost, "not forwarded": self.not_forwarded}
        lists |= {"duplicated": self.duplicated, "strays": self.strays}
        return {name: found[:10] for name, found in lists.items() if found}

    def __str__(self) -> str:
        servers = ", ".join(f"{number} by the {side} server" for side, number in sorted(self.by_server.items()))
        return (
            f"sent {self.sent} (accepted: {servers}), delivered {self.delivered}, forwarded {self.forwarded}, "
            f"lost {len(self.lost) + len(self.not_forwarded)}, bounced {len(self.bounced)}, "
            f"duplicated {len(self.duplicated)}; tried again {self.retried}, repeated {self.repeated}, "
            f"left on the old server by those who still write there {self.left_on_old}"
        )


@dataclass(frozen=True)
class Rules:
    """What the reckoning goes by: who gets mail for an address, and when somebody's copies went to the old server."""

    expand: Callable[[str], Sequence[str]]
    place: Callable[[str], str]
    flips: Sequence[Flip]
    interrupted: bool = False
    """A server was stopped under way, and may have delivered what it could not note as delivered."""

    def forwards(self, mailbox: str, at: float) -> bool | None:
        """Whether mail that was delivered on the new server then goes on; None while it was being switched."""
        on = False
        for flip in self.flips:
            if flip.mailbox != mailbox or at < flip.began - _SLACK:
                continue
            if at <= flip.ended + _SLACK:
                return None
            on = flip.on
        return on

    def has_moved(self, mailbox: str, at: float) -> bool:
        """Whether the forward was on once and is off."""
        ended = any(flip.mailbox == mailbox and not flip.on and flip.ended < at for flip in self.flips)
        return ended and self.forwards(mailbox, at) is False


def reckon(letters: Iterable[Letter], old: Iterable[Stored], new: Iterable[Stored], rules: Rules) -> Figures:
    """Every letter where its server had to put it, and its copy where a forward stood; nothing else anywhere."""
    reckoning = _Reckoning(rules, {"old": _by_letter(old), "new": _by_letter(new)})
    for letter in letters:
        reckoning.account_for(letter)
    return reckoning.closed()


@dataclass
class _Reckoning:
    """``stored``: by server the times of each mailbox's letters that are not yet accounted for."""

    rules: Rules
    stored: dict[str, dict[tuple[str, int], list[float]]]
    figures: Figures = field(default_factory=Figures)

    def account_for(self, letter: Letter) -> None:
        figures = self.figures
        figures.sent += 1
        figures.retried += bool(letter.troubles)
        if letter.accepted_by is None:
            (figures.bounced if letter.bounced else figures.lost).append(f"{letter}")
            return
        place = self.rules.place(letter.accepted_by)
        figures.by_server[place] += 1
        for mailbox in self.rules.expand(letter.recipient):
            self._in_mailbox(letter, mailbox, place)

    def closed(self) -> Figures:
        """What is left belongs to nobody."""
        for place, rest in self.stored.items():
            self.figures.strays += [f"{number!r} in {mailbox} on {place}" for mailbox, number in rest]
        return self.figures

    def _in_mailbox(self, letter: Letter, mailbox: str, place: str) -> None:
        figures = self.figures
        times = self.stored[place].pop((mailbox, letter.number), [])
        copies = self.stored["old"].pop((mailbox, letter.number), []) if place == "new" else []
        if not times:
            figures.lost.append(f"{mailbox} on {place}: {letter}")
            return
        figures.delivered += 1
        figures.forwarded += bool(copies)
        again = len(times) - 1 + max(len(copies) - 1, 0)
        if letter.unsure or self.rules.interrupted:
            figures.repeated += again
        elif again:
            figures.duplicated.append(f"{mailbox}: {len(times)} times and {len(copies)} copies: {letter}")
        forwards = {self.rules.forwards(mailbox, at) for at in times}
        if place == "old":
            figures.left_on_old += self.rules.has_moved(mailbox, max(times))
        elif forwards == {True} and not copies:
            figures.not_forwarded.append(f"{mailbox}, delivered at {times}: {letter}")
        elif forwards == {False} and copies:
            figures.duplicated.append(f"{mailbox} needs no copy on the old server, but got one: {letter}")


def _by_letter(stored: Iterable[Stored]) -> dict[tuple[str, int], list[float]]:
    """Times of delivery by mailbox and number; what nobody here wrote, such as a bounce, is number -1."""
    found: dict[tuple[str, int], list[float]] = {}
    for each in stored:
        found.setdefault((each.mailbox, int(each.headers.get(NUMBER, -1))), []).append(each.at)
    return found


def accepted(letters: Iterable[Letter], place: str, rules: Rules) -> Iterator[float]:
    """The times at which a server took mail from outside."""
    return (
        letter.accepted_at
        for letter in letters
        if letter.accepted_by
        and letter.sender.endswith("@elsewhere.example")
        and rules.place(letter.accepted_by) == place
    )


def secrets_seen(texts: Mapping[str, str], secrets: Iterable[str]) -> list[str]:
    """Where a secret stands that must not; it is not shown."""
    return sorted({where for where, text in texts.items() for secret in secrets if secret in text})
