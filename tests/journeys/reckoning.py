"""What became of every message: each letter against all Maildirs of both servers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.lab.mail_server import HISTORY, Stored
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
    copied: int = 0
    """Came to the server that was left in the end, and were brought to the other one by the mail copy."""
    history: int = 0
    """Messages from before the move that are where all mail is in the end."""
    repeated: int = 0
    """Came twice because a connection or a server broke behind the message (RFC 5321, section 4.5.4.2)."""
    retried: int = 0
    by_server: Counter[str] = field(default_factory=Counter)
    bounced: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    not_forwarded: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    history_lost: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        lists = {"bounced": self.bounced, "lost": self.lost, "not forwarded": self.not_forwarded}
        lists |= {"duplicated": self.duplicated, "strays": self.strays, "left behind": self.left_behind}
        lists |= {"history lost or twice": self.history_lost}
        return {name: found[:10] for name, found in lists.items() if found}

    def __str__(self) -> str:
        servers = ", ".join(f"{number} by the {side} server" for side, number in sorted(self.by_server.items()))
        return (
            f"sent {self.sent} (accepted: {servers}), delivered {self.delivered}, forwarded {self.forwarded}, "
            f"copied {self.copied}, lost {len(self.lost) + len(self.not_forwarded) + len(self.left_behind)}, "
            f"bounced {len(self.bounced)}, duplicated {len(self.duplicated)}; "
            f"tried again {self.retried}, repeated {self.repeated}; history {self.history}"
        )


@dataclass(frozen=True)
class Rules:
    """What the reckoning goes by: who gets mail for an address, and when somebody's copies went to the old server."""

    expand: Callable[[str], Sequence[str]]
    place: Callable[[str], str]
    flips: Sequence[Flip]
    interrupted: bool = False
    """A server was stopped under way, and may have delivered what it could not note as delivered."""
    ends_on: str | None = None
    """The server to which all mail was copied in the end; None where no mail is copied."""
    brought_back: bool = False
    """Mail of the new server was copied to the old one under way."""
    history: Mapping[str, int] = field(default_factory=dict)
    """How many messages each mailbox had before the move."""

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


def reckon(letters: Iterable[Letter], old: Iterable[Stored], new: Iterable[Stored], rules: Rules) -> Figures:
    """Every letter where its server had to put it, and its copy where a forward stood; nothing else anywhere."""
    found = {"old": list(old), "new": list(new)}
    reckoning = _Reckoning(rules, {place: _by_letter(stored) for place, stored in found.items()})
    for letter in letters:
        reckoning.account_for(letter)
    for place, stored in found.items():
        reckoning.account_for_history(place, stored)
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

    def account_for_history(self, place: str, stored: Iterable[Stored]) -> None:
        """Every message from before the move once where it was, and once where all mail is in the end."""
        if place not in {"old", self.rules.ends_on}:
            return
        there = Counter((each.mailbox, int(each.headers[HISTORY])) for each in stored if HISTORY in each.headers)
        wanted = Counter((box, number) for box, count in self.rules.history.items() for number in range(count))
        if place == self.rules.ends_on:
            self.figures.history = (there & wanted).total()
        wrong = (there - wanted) + (wanted - there)
        self.figures.history_lost += [f"{number} of {mailbox} on {place}" for mailbox, number in wrong]

    def _in_mailbox(self, letter: Letter, mailbox: str, place: str) -> None:
        figures, other = self.figures, "new" if place == "old" else "old"
        times = self.stored[place].pop((mailbox, letter.number), [])
        copies = self.stored[other].pop((mailbox, letter.number), []) if self._may_be_on(other) else []
        if not times:
            figures.lost.append(f"{mailbox} on {place}: {letter}")
            return
        figures.delivered += 1
        again = len(times) - 1 + max(len(copies) - 1, 0)
        if letter.unsure or self.rules.interrupted:
            figures.repeated += again
        elif again:
            figures.duplicated.append(f"{mailbox}: {len(times)} times and {len(copies)} copies: {letter}")
        if other == self.rules.ends_on and not copies:
            figures.left_behind.append(f"{mailbox} on {place}: {letter}")
        if place == "old":
            figures.copied += bool(copies)
        else:
            self._forwarded(letter, mailbox, times, copies)

    def _forwarded(self, letter: Letter, mailbox: str, times: Sequence[float], copies: Sequence[float]) -> None:
        figures, forwards = self.figures, {self.rules.forwards(mailbox, at) for at in times}
        if forwards == {True} and not copies:
            figures.not_forwarded.append(f"{mailbox}, delivered at {times}: {letter}")
        if forwards != {False}:
            figures.forwarded += bool(copies)
        elif copies and (self.rules.brought_back or self.rules.ends_on == "old"):
            figures.copied += 1
        elif copies:
            figures.duplicated.append(f"{mailbox} needs no copy on the old server, but got one: {letter}")

    def _may_be_on(self, other: str) -> bool:
        """Forwards go to the old server, the mail copy to either."""
        return other == "old" or self.rules.ends_on is not None


def _by_letter(stored: Iterable[Stored]) -> dict[tuple[str, int], list[float]]:
    """Times of delivery by mailbox and number; what nobody here wrote, such as a bounce, is number -1."""
    found: dict[tuple[str, int], list[float]] = {}
    for each in stored:
        if HISTORY in each.headers:
            continue
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
