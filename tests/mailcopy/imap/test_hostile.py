"""No mail, flag, date or folder name is ever read as a command, whichever way the target lets messages in.

The judge is the target: after the copy it holds the folders and messages that it must hold and no other.
"""

import os
import random
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.job import Endpoint
from reconciler.mailcopy.job import MailboxReport, Means, Patience, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.courier import Courier
from tests.lab.cyrus import Cyrus
from tests.lab.dovecot import Dovecot, Seen
from tests.lab.imap_client import folders, logged_in, seen
from tests.lab.mailbox import RealClock, copying, endpoint, expected
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

Edit = Callable[[bytes], bytes]


def without(*capabilities: bytes) -> Edit:
    """A server that announces less than it can."""

    def edit(octets: bytes) -> bytes:
        for capability in capabilities:
            octets = octets.replace(capability, b"X" + capability[1:])
        return octets

    return edit


TIERS = {
    "multi-plus": lambda octets: octets,
    "multi-minus": lambda octets: octets.replace(b"LITERAL+", b"LITERAL-"),
    "multi-sync": without(b"LITERAL+"),
    "single-plus": without(b"MULTIAPPEND"),
    "single-minus": lambda octets: without(b"MULTIAPPEND")(octets).replace(b"LITERAL+", b"LITERAL-"),
    "single-sync": without(b"MULTIAPPEND", b"LITERAL+"),
}

TAGS = [b"z1", b"*", b"+", *(b"R%d" % number for number in range(1, 60))]
COMMANDS = [
    b"CREATE Pwned", b"CREATE {5+}\r\nPwned", b"APPEND INBOX {9+}\r\nS: pwned\r\n", b"DELETE Work",
    b"RENAME Work Pwned", b"STORE 1:* +FLAGS (\\Deleted)", b"EXPUNGE", b"LOGOUT", b"OK", b"BAD", b"NO [OVERQUOTA]",
    b"OK [APPENDUID 1 1:999]", b"BYE", b"{10+}", b"{10}",
]  # fmt: skip
ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0\r\n", b")\r\n", b'"\r\n', b"", b"\r\n.\r\n", b"\r\n\r\n"]

KEYWORDS = ("bad(flag", "k" * 200, "caf\xe9", "\\Forwarded", "{10+}", 'q"x', "p%c", "s*r", "$Label1", "a]b", "a)b")


def attacks(chance: random.Random, number: int) -> Iterator[bytes]:
    """Mail that is nothing but commands, of all sizes that the ways in tell apart."""
    for each in range(number):
        lines = [
            chance.choice(TAGS) + b" " + chance.choice(COMMANDS) + chance.choice(ENDS) for _ in range(1 + each % 13 * 9)
        ]
        body = chance.choice([b"", b"\r\n", b"Message-ID: <%d@x>\r\n\r\n" % each]) + b"".join(lines)
        match each % 10:
            case 7:
                body += b"x" * 300_000 + b"\r\nz1 CREATE Pwned"
            case 8:
                body += b"\r\n{%d+}\r\n" % len(body)
            case 9:
                body = b"A" * (4094 + each % 5) + b"\r\n" + body
            case _:
                pass
        yield body + (b"x" if not body.strip(b"\r\n\0") else b"")


def hostile(server: Dovecot, user: str, number: int, names: tuple[str, ...] = ("Work",)) -> None:
    """Written straight into the files: flags and dates that no client could have set, and names on the wire."""
    chance = random.Random(number)
    root = server.maildir(user)
    places = ["", *(f".{name}" for name in names)]
    for place in places:
        (root / place / "cur").mkdir(parents=True)
        (root / place / "dovecot-keywords").write_bytes(
            b"".join(b"%d %s\n" % (i, k.encode("latin-1")) for i, k in enumerate(KEYWORDS))
        )
    for count, body in enumerate(attacks(chance, number)):
        letters = "".join(chr(ord("a") + i) for i in range(len(KEYWORDS)) if chance.random() < 0.4)
        flags = "".join(flag for flag in "DFRS" if chance.random() < 0.3)
        file = root / places[count % len(places)] / "cur" / f"{1_000_000 + count}.hostile.host:2,{flags}{letters}"
        file.write_bytes(body)
        received = chance.choice([-86_400, -1, 0, 1, 2_147_483_647, 2_366_841_600, 1_700_000_000])
        os.utime(file, (received, received))
    server.own(root.parent)


def run(old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger, **ports: int) -> MailboxReport:
    return bring(ledger, endpoint(old, user, port=ports.get("source")), endpoint(new, user, port=ports.get("target")))


def bring(ledger: SqlLedger, source: Endpoint, target: Endpoint) -> MailboxReport:
    patience = Patience(attempts=2, settle=timedelta(seconds=1))
    return copy_mailbox(copying(source, target), Means(ledger, RealClock(), patience=patience, sleep=lambda _: None))


def texts(found: Counter[Seen]) -> Counter[tuple[str, bytes]]:
    """What must be there for certain: folder and content, with what every server rewrites taken out."""
    return Counter((one.folder, one.content.replace(b"\0", b"\x80").rstrip(b"\n")) for one in found.elements())


def plain_flags(found: Counter[Seen]) -> Counter[frozenset[str]]:
    """The flags that can be carried."""
    kept = {"\\Answered", "\\Flagged", "\\Seen", "\\Draft", "$Label1"}
    return Counter(one.flags & kept for one in found.elements())


def test_a_server_does_run_what_stands_behind_a_refused_literal(new: Dovecot, user: str) -> None:
    """Why all this: Dovecot says BAD to the flag, does not swallow the literal, and obeys the mail."""
    mail = b"z1 CREATE Pwned\r\n"
    with socket.create_connection(("127.0.0.1", new.port), 5) as plug:
        plug.sendall(b"a LOGIN %s pw-%s\r\n" % (user.encode(), user.encode()))
        plug.sendall(b"b APPEND INBOX (bad(flag) {%d+}\r\n%s\r\nc LOGOUT\r\n" % (len(mail), mail))
        while plug.recv(4096):
            pass
    assert "Pwned" in new.folders(user)


@pytest.mark.parametrize("tier", TIERS)
def test_hostile_mail_flags_and_dates_through_every_way_in(
    tier: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    hostile(old, user, 80)
    before = new.folders(user)
    with Proxy(new.port, edit=TIERS[tier]) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
        assert (report.state, report.tally.copied, report.refusals) == (State.DONE, 80, ())
        assert run(old, new, user, ledger, target=proxy.own_port).tally.octets == 0
    assert new.folders(user) == before | {"Work"}
    assert texts(new.seen(user)) == texts(old.seen(user))
    assert plain_flags(new.seen(user)) == plain_flags(old.seen(user))


@pytest.fixture(scope="module", params=["cyrus", "courier"])
def other(request: pytest.FixtureRequest) -> Iterator[Cyrus | Courier]:
    made = Courier("hostile") if request.param == "courier" else Cyrus("hostile")
    for name in ("ann", "bob"):
        made.add_user(name)
    yield made.start()
    made.remove()


def test_hostile_mail_flags_and_dates_into_other_servers(
    other: Cyrus | Courier, old: Dovecot, user: str, ledger: SqlLedger
) -> None:
    hostile(old, user, 80)
    report = bring(ledger, endpoint(old, user), endpoint(other, "ann"))
    assert (report.state, report.tally.balanced, report.tally.waiting) == (State.DONE, True, 0)
    with logged_in(other.port, "ann") as client:
        assert folders(client) == {"INBOX", "INBOX.Work"}
        have = texts(Counter(replace(one, folder=one.folder.removeprefix("INBOX.")) for one in seen(client).elements()))
    want = texts(old.seen(user))
    if isinstance(other, Cyrus):
        want, have = masked(want), masked(have)
    assert not have - want, [(folder, len(text), text[-60:]) for folder, text in have - want]
    assert sum((want - have).values()) == report.tally.refused == len(report.refusals)
    assert isinstance(other, Cyrus) or not report.tally.refused
    fresh = SqlLedger("sqlite://", RealClock())
    again = bring(fresh, endpoint(old, user), endpoint(other, "ann"))
    assert (again.tally.recognised, again.tally.new) == (report.tally.copied, report.tally.copied)
    fresh.close()


def masked(found: Counter[tuple[str, bytes]]) -> Counter[tuple[str, bytes]]:
    """Cyrus writes X for octets outside ASCII in what it takes for a header."""
    return Counter((folder, re.sub(rb"[\x80-\xff]", b"X", text)) for folder, text in found.elements())


NAMES = {
    'quo"te': 'quo"te',
    "back\\slash": "back\\slash",
    "50%": "50%",
    "st*r": "st*r",
    "amp&-": "amp&",
    "&2D3c7A-": "📬",
    "&AAcAGw-": "__",  # BEL and ESC
    "&AA0ACg-R1 CREATE Pwned&AA0ACg-": "__R1 CREATE Pwned__",
    "{10+}": "{10+}",
    'x" {5+}': 'x" {5+}',
    "NIL": "NIL",
    "(paren) []": "(paren) []",
    " leading and trailing ": " leading and trailing ",
    "w" * 190: "w" * 190,
}
BROKEN = {  # no modified UTF-7: base64 that ends early, none, ASCII in it; and one octet outside ASCII
    "&AAA": "&AAA",
    "&!-": "&!-",
    "&AGEA-": "&AGEA-",
    "caf\udce9": "caf\ufffd",
}


@pytest.mark.parametrize("tier", TIERS)
def test_hostile_folder_names_through_every_way_in(
    tier: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """Dovecot lists most broken names and has no such folders: that is told, and everything else comes over."""
    hostile(old, user, len(NAMES) + 1, tuple(NAMES))
    for name in BROKEN:
        (old.maildir(user) / f".{name}" / "cur").mkdir(parents=True)
    old.own(old.maildir(user))
    before = new.folders(user)
    with Proxy(new.port, edit=TIERS[tier]) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
        assert (report.state, report.tally.copied) == (State.PARTLY, len(NAMES) + 1)
        assert {refusal.folder for refusal in report.refusals} == {"&AAA", "&!-", "&AGEA-"}
        assert run(old, new, user, ledger, target=proxy.own_port).tally.octets == 0
    assert new.folders(user) == before | set(NAMES.values()) | set(BROKEN.values())
    assert Counter(one.folder for one in new.seen(user).elements()) == Counter(["INBOX", *NAMES.values()])


def test_hostile_folder_names_into_other_servers(
    other: Cyrus | Courier, old: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """A name that one of them refuses gets a plain one; no other folder comes into being."""
    hostile(old, user, len(NAMES) + 1, tuple(NAMES))
    report = bring(ledger, endpoint(old, user), endpoint(other, "bob"))
    assert (report.state, report.tally.waiting) == (State.DONE, 0)
    with logged_in(other.port, "bob") as client:
        there = folders(client)
    assert len(there) == len(NAMES) + 1
    assert "INBOX.{10+}" in there or "INBOX.__10+__" in there or "INBOX._10+_" in there
    assert not {"INBOX.Pwned", "Pwned", "INBOX.Work"} & there
    assert report.tally.copied + report.tally.refused == len(NAMES) + 1


GARBAGE = (
    b"", b"never", b"31-Feb-2020 10:00:00 +0000", b"01-Jan-0000 00:00:00 +0000", b"01-Jan-2020 25:61:61 +0000",
    b"01-Jan-2020 10:00:00 +9999", b"01-Jan-2020 10:00:00 -2400", b"1-Jan-20 10:00:00 +0000",
    b'01-Jan-2020 10:00:00 +0000\\" {9+}', b"01-Jan-2020 10:00:00 +0000) (\\Deleted", b"01-JAN-2020 10:00:60 +0530",
    b"99-Jan-2020 10:00:00 +0000", b"01-Jan-99999 10:00:00 +0000", b"\xff\xfe", b"01-Jan-2020 10:00:00 +0000 x LOGOUT",
)  # fmt: skip


@pytest.mark.parametrize("tier", ["multi-plus", "single-plus", "single-sync"])
def test_a_source_that_tells_no_date_at_all(
    tier: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """The message comes over; without a date that can be said it gets the moment of the copy."""
    hostile(old, user, 40, ())
    turn = iter(range(10_000))

    def edit(octets: bytes) -> bytes:
        return re.sub(
            rb'INTERNALDATE "[^"]*"', lambda _: b'INTERNALDATE "%s"' % GARBAGE[next(turn) % len(GARBAGE)], octets
        )

    with Proxy(old.port, edit=edit) as source, Proxy(new.port, edit=TIERS[tier]) as target:
        report = run(old, new, user, ledger, source=source.own_port, target=target.own_port)
    assert (report.state, report.tally.copied) == (State.DONE, 40)
    assert texts(new.seen(user)) == texts(old.seen(user))
    assert "Pwned" not in new.folders(user)


@pytest.mark.parametrize("tier", TIERS)
def test_a_refused_command_ends_the_line_before_any_mail_is_on_it(
    tier: str, old: Dovecot, new: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """The server says BAD where it should say go ahead: what followed would be read as commands."""
    hostile(old, user, 20, ())
    said: list[bytes] = []
    tags: list[bytes] = []

    class Refusing(Proxy):
        def heard(self, octets: bytes) -> None:
            said.append(octets)
            tags.extend(re.findall(rb"(?m)^(R\d+) APPEND ", octets))

    def edit(octets: bytes) -> bytes:
        octets = TIERS[tier](octets)
        return re.sub(rb"(?m)^\+ .*\r\n", lambda _: tags[-1] + b" BAD Error in IMAP command APPEND\r\n", octets)

    with Refusing(new.port, edit=edit) as proxy:
        report = run(old, new, user, ledger, target=proxy.own_port)
    assert report.state is State.FAILED
    assert "closed at once" in report.words
    assert tags
    assert not re.search(rb"z1 |CREATE|Pwned", b"".join(said))
    assert not new.seen(user)
    assert run(old, new, user, ledger).state is State.DONE
    assert texts(new.seen(user)) == texts(old.seen(user))
    assert expected(old.seen(user))
