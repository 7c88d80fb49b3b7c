"""Whatever a mailbox holds and whatever happens to it between passes: nothing is lost, nothing comes twice.

Both sides are seen by ``doveadm fetch`` and the files. The servers keep odd zones, in which they write INTERNALDATE.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.job import MailboxReport, Means, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.dovecot import Dovecot, Seen
from tests.lab.mailbox import RealClock, copying, endpoint

pytestmark = pytest.mark.daemon

KEYWORDS = ("$Forwarded", "NonJunk", "own-label", "$MDNSent")
CHATHAM = "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"
NEWFOUNDLAND = "<-0330>3:30"
REAL = settings(
    max_examples=20,
    derandomize=True,  # a daemon's test that fails must fail again
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
ACCOUNTS = [f"any{number}" for number in range(1, 2000)]
_accounts, _files = iter(ACCOUNTS), count(1_000_000)


def _server(name: str, zone: str, separator: str) -> Iterator[Dovecot]:
    server = Dovecot(name, separator=separator)
    (server.root / "users").write_text("".join(f"{user}:{{PLAIN}}pw-{user}\n" for user in ACCOUNTS))
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    try:
        server.start()
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def here() -> Iterator[Dovecot]:
    yield from _server("here", CHATHAM, ".")


@pytest.fixture(scope="module")
def there() -> Iterator[Dovecot]:
    yield from _server("there", NEWFOUNDLAND, "/")


@dataclass(frozen=True)
class Mail:
    """A message as it lies on the source's disk; ``flags`` are Maildir letters, None a message nobody has seen yet."""

    folder: int
    content: bytes
    flags: str | None
    received: int


_CHARACTERS = "abZ09 \"%*&'\\({}[]<>|#!?=@$^`;,+_-~äßØ日ル📬🧿"
NAME = st.text(_CHARACTERS, min_size=1, max_size=8).filter(
    lambda name: name.strip() and name[0] != "~" and name.upper() not in {"INBOX", "NIL"}
)
FOLDERS = st.lists(st.lists(NAME, min_size=1, max_size=3).map(tuple), max_size=4, unique=True)

MESSAGE_ID = st.sampled_from([b"", b"", b"Message-ID: <same@x>\n"]) | st.integers(0, 10**6).map(
    lambda n: b"Message-ID: <%d@x>\n" % n
)
HEADER = st.lists(
    st.sampled_from([
        b"Subject: the same\n", b"Subject: J\xf6rg\n", b"From: \xff\xfe <a@example.org>\n", b"Date: never\n",
        b"Date: Mon, 1 Jan 2024 10:00:00 +0000\n", b"X-Folded: a\n\tb\n", b"no field\n", b"To: x\r\n", b"Subject: \0\n",
    ]),
    max_size=3,
).map(b"".join)  # fmt: skip
BODY = st.lists(
    st.sampled_from([
        b"the same text\n", b"\0", b"\r", b"\n", b"\r\n", b"\r\r\n", b"\x80\xff", b"x" * 5000, b"R1 CREATE Pwned\r\n",
        b"{7+}\r\n", b"From a mbox\n", b".\n", b")\n",
    ])
    | st.binary(max_size=20),
    max_size=5,
).map(b"".join)  # fmt: skip
CONTENT = (
    st.builds(lambda mid, header, body: mid + header + b"\n" + body, MESSAGE_ID, HEADER, BODY)
    | BODY
    | st.sampled_from([b"", b"\n", b"Message-ID: <same@x>\n\nthe same text\n"])
).map(lambda content: content if content.strip(b"\r") or not content else content + b".")  # CR is not looked at
_LATEST = 1_790_000_000
RECEIVED = (
    st.integers(1, _LATEST - 1)
    | st.sampled_from([1_000_000_000, 1_000_000_001])
    | st.sampled_from([-(10**9), -2, -1, 0, 2**31 - 1, 2**31, 2_366_841_600])
)
LETTERS = st.sets(st.sampled_from("DFRSTabcd")).map(lambda letters: "".join(sorted(letters)))
MAIL = st.builds(Mail, st.integers(0, 9), CONTENT, st.none() | LETTERS, RECEIVED)
MAILBOX = st.tuples(FOLDERS, st.lists(MAIL, max_size=12))


def lay_down(server: Dovecot, user: str, paths: Sequence[tuple[str, ...]], mails: Sequence[Mail]) -> None:
    """Into the Maildir, as a delivery or another program does it."""
    places = [_place(server, user, path) for path in [(), *paths]]
    for place in places:
        for part in ("cur", "new", "tmp"):
            (place / part).mkdir(parents=True, exist_ok=True)
        if not (place / "dovecot-keywords").exists():
            (place / "dovecot-keywords").write_text("".join(f"{i} {k}\n" for i, k in enumerate(KEYWORDS)))
    for mail in mails:
        place = places[mail.folder % len(places)]
        name = f"{next(_files)}.any.host"
        file = place / "new" / name if mail.flags is None else place / "cur" / f"{name}:2,{mail.flags}"
        file.write_bytes(mail.content)
        os.utime(file, (mail.received, mail.received))
    server.own(server.maildir(user).parent)


def _place(server: Dovecot, user: str, path: tuple[str, ...]) -> Path:
    wire = ".".join(_encoded(name) for name in path)
    return server.maildir(user) / (f".{wire}" if path else "")


def _encoded(name: str) -> str:
    """Modified UTF-7 (RFC 3501, section 5.1.3), by Python's own UTF-7."""
    parts, run = [], ""
    for character in [*name, ""]:
        if character and not " " <= character <= "~":
            run += character
            continue
        if run:
            parts.append("&" + run.encode("utf-7").decode()[1:].removesuffix("-").replace("/", ",") + "-")
            run = ""
        parts.append("&-" if character == "&" else character)
    return "".join(parts)


def look(server: Dovecot, user: str) -> Counter[Seen]:
    """As both sides must show it: NUL as 0x80, and no date for what arrived before 1970 or in the future.

    Dovecot 2.3 keeps 32 bits, so it tells 1969 at first and 2106 later; in the place of the future it puts the moment.
    """
    return Counter(
        replace(
            one,
            content=one.content.replace(b"\0", b"\x80"),
            received=one.received if 1 < one.received < _LATEST else 0,
        )
        for one in server.seen(user).elements()
    )


def run(here: Dovecot, there: Dovecot, user: str, ledger: SqlLedger) -> MailboxReport:
    return copy_mailbox(copying(endpoint(here, user), endpoint(there, user)), Means(ledger, RealClock()))


@REAL
@given(MAILBOX)
def test_any_mailbox_is_the_same_on_both_sides_and_stays_so(
    here: Dovecot, there: Dovecot, mailbox: tuple[list[tuple[str, ...]], list[Mail]]
) -> None:
    paths, mails = mailbox
    user = next(_accounts)
    lay_down(here, user, paths, mails)
    ledger, lost = SqlLedger("sqlite://", RealClock()), SqlLedger("sqlite://", RealClock())
    report = run(here, there, user, ledger)
    assert (report.state, report.tally.count, report.tally.balanced) == (State.DONE, len(mails), True), report
    refused = sum(not mail.content for mail in mails)
    assert (report.tally.copied, report.tally.refused) == (len(mails) - refused, refused)
    source = look(here, user)
    target = look(there, user)
    empty = Counter({one: times for one, times in source.items() if not one.content})
    assert target == source - empty
    assert {"/".join(path) for path in paths} <= there.folders(user)
    again = run(here, there, user, ledger)
    assert (again.state, again.tally.new, again.tally.octets) == (State.DONE, 0, 0)
    rebuilt = run(here, there, user, lost)
    assert (rebuilt.state, rebuilt.tally.recognised, rebuilt.tally.octets) == (State.DONE, len(mails) - refused, 0)
    assert look(there, user) == target
    assert look(here, user) == source
    ledger.close()
    lost.close()


class Passes(RuleBasedStateMachine):
    """Deliveries, changed flags, deletions and passes in any order; the ledger may be lost at any time."""

    here: Dovecot
    there: Dovecot

    def __init__(self) -> None:
        super().__init__()
        self.user = next(_accounts)
        self.ledger = SqlLedger("sqlite://", RealClock())
        self.knows_nothing = True
        lay_down(self.here, self.user, [("Work",)], [])

    @rule(mails=st.lists(MAIL, min_size=1, max_size=6))
    def deliver(self, mails: list[Mail]) -> None:
        lay_down(self.here, self.user, [("Work",)], mails)

    @rule(mail=MAIL)
    def write_there(self, mail: Mail) -> None:
        """The user is at the new server already."""
        content = b"Message-ID: <%d@there>\n" % next(_files) + mail.content
        lay_down(self.there, self.user, [], [replace(mail, folder=0, content=content, received=abs(mail.received))])

    @rule(flags=st.sampled_from([r"\Seen", r"\Flagged", r"\Deleted", "own-label"]), add=st.booleans(), some=st.data())
    def flag(self, flags: str, add: bool, some: st.DataObject) -> None:
        uids = some.draw(st.sampled_from(["1", "2:4", "3:*", "1:*"]))
        verb = "add" if add else "remove"
        for folder in ("INBOX", "Work"):
            self.here.doveadm("flags", verb, "-u", self.user, flags, "mailbox", folder, uids, check=False)

    @rule(uids=st.sampled_from(["1", "2:3", "*"]), folder=st.sampled_from(["INBOX", "Work"]))
    def expunge(self, uids: str, folder: str) -> None:
        self.here.doveadm("expunge", "-u", self.user, "mailbox", folder, uids, check=False)

    @rule(place=st.sampled_from(["here", "there"]), number=st.integers(1, 10**6))
    def renumber(self, place: str, number: int) -> None:
        """UIDVALIDITY is another: all UIDs have lost their meaning."""
        server = self.here if place == "here" else self.there
        server.doveadm("mailbox", "update", "-u", self.user, "--uid-validity", str(number), "INBOX", check=False)

    @rule()
    def lose_the_ledger(self) -> None:
        self.ledger.close()
        self.ledger = SqlLedger("sqlite://", RealClock())
        self.knows_nothing = True

    @rule()
    def copy(self) -> None:
        before, source = look(self.there, self.user), look(self.here, self.user)
        report = run(self.here, self.there, self.user, self.ledger)
        after = look(self.there, self.user)
        assert report.state is State.DONE, report
        assert report.tally.balanced, report
        assert report.tally.count == sum(source.values()), report
        assert look(self.here, self.user) == source
        assert not unmarked(before) - unmarked(after)
        whole = Counter({one: times for one, times in source.items() if one.content})
        assert not unmarked(whole) - unmarked(after)
        assert not followed(whole) - followed(after)
        assert sum(after.values()) - sum(before.values()) == report.tally.new - report.tally.recognised
        if self.knows_nothing:
            assert unmarked(after) == unmarked(before) | unmarked(whole)
        self.knows_nothing = False
        again = run(self.here, self.there, self.user, self.ledger)
        assert (again.state, again.tally.new, again.tally.octets) == (State.DONE, 0, 0), again
        assert look(self.there, self.user) == after

    def teardown(self) -> None:
        self.ledger.close()


def unmarked(found: Counter[Seen]) -> Counter[Seen]:
    """Without flags."""
    return Counter(replace(one, flags=frozenset()) for one in found.elements())


def followed(found: Counter[Seen]) -> Counter[Seen]:
    """With the flags that are kept equal: a mark of deletion is never put on mail that stands on the target."""
    return Counter(replace(one, flags=one.flags - {"\\Deleted"}) for one in found.elements())


def test_whatever_happens_between_passes_nothing_is_lost_and_nothing_comes_twice(here: Dovecot, there: Dovecot) -> None:
    Passes.here, Passes.there = here, there
    run_state_machine_as_test(Passes, settings=settings(REAL, max_examples=8, stateful_step_count=12))
