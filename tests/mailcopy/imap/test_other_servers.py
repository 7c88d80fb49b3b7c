"""Cyrus and Courier as they are, each as source and as target beside Dovecot.

What stands there is seen by imaplib and doveadm, not by what is tested.
"""

import imaplib
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from time import sleep

import pytest

from reconciler.mailcopy.imap.copy import copy_mailbox
from reconciler.mailcopy.imap.session import session
from reconciler.mailcopy.job import MailboxReport, Means, Patience, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.verify import verify_mailbox
from reconciler.model.grade import Grade
from tests.lab.courier import Courier
from tests.lab.cyrus import Cyrus
from tests.lab.dovecot import Dovecot, Seen
from tests.lab.imap_client import folders, logged_in, put, quoted, seen
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill, message
from tests.lab.proxy import Proxy

pytestmark = pytest.mark.daemon

Other = Cyrus | Courier
_USERS = [f"other{number}" for number in range(1, 60)]
_numbers = count()

FOLDERS = ("", "Work", "Work/Größe & Maße", "Work/Größe & Maße/2019", "日本語", "#hash (a) 'b' $c", "empty")
KEYWORDS = ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "$Forwarded", "NonJunk", "own-label")


@pytest.fixture(scope="module", params=["cyrus", "cyrus with slashes", "courier"])
def other(request: pytest.FixtureRequest) -> Iterator[Other]:
    made = Courier() if request.param == "courier" else Cyrus(modern="slashes" in request.param)
    for user in _USERS:
        made.add_user(user)
    yield made.start()
    made.remove()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    made = Dovecot("beside")
    for user in _USERS:
        made.add_user(user)
    yield made.start()
    made.remove()


@pytest.fixture
def user() -> str:
    return _USERS[next(_numbers)]


def run(source, target, user: str, ledger: SqlLedger, rules: Rules | None = None) -> MailboxReport:
    return copy_mailbox(copying(endpoint(source, user), endpoint(target, user), rules), Means(ledger, RealClock()))


def own_name(other: Other, path: str) -> str:
    """A path as this server names it on the wire."""
    if not path:
        return "INBOX"
    wire = re.sub(r"[^\x20-\x7e]+|&", lambda run: _shifted(run[0]), path)
    return wire if other.separator == "/" else "INBOX." + wire.replace("/", ".")


def _shifted(run: str) -> str:
    return "&-" if run == "&" else "&" + run.encode("utf-7").decode()[1:].removesuffix("-").replace("/", ",") + "-"


def common_name(other: Other, wire: str) -> str:
    """The inverse: a path with slashes, in Unicode."""
    plain = re.sub("&([^-]*)-", lambda run: _unshifted(run[1]), wire)
    return plain.removeprefix("INBOX.").replace(".", "/") if other.separator == "." else plain


def _unshifted(run: str) -> str:
    return f"+{run.replace(',', '/')}-".encode().decode("utf-7") if run else "&"


def look(other: Other, user: str) -> Counter[Seen]:
    with logged_in(other.port, user) as client:
        return Counter(replace(one, folder=common_name(other, one.folder)) for one in seen(client).elements())


def names(other: Other, user: str, *, subscribed: bool = False) -> set[str]:
    with logged_in(other.port, user) as client:
        return {common_name(other, wire) for wire in folders(client, subscribed=subscribed)}


def stock(other: Other, user: str, seed: int, number: int) -> int:
    """Messages of every kind that the server takes by itself, through imaplib; gives how many these are."""
    chance = random.Random(seed)
    taken = 0
    with logged_in(other.port, user) as client:
        for path in FOLDERS[1:]:
            client.create(quoted(own_name(other, path)))
        for path in FOLDERS[1::2]:
            client.subscribe(quoted(own_name(other, path)))
        for each in range(number):
            flags = " ".join(flag for flag in KEYWORDS if chance.random() < 0.3)
            date = imaplib.Time2Internaldate(chance.choice([0, 86_399, chance.randrange(1_790_000_000)]))
            place = quoted(own_name(other, chance.choice(FOLDERS[:-1])))
            answer, _ = client.append(place, f"({flags})", date, message(chance, each))
            taken += answer == "OK"
    assert taken > number / 2
    return taken


def test_the_servers_are_what_the_tiers_are_made_for(other: Other, user: str) -> None:
    with session(endpoint(other, user).server, endpoint(other, user).login) as opened:
        can = {name for name in ("MULTIAPPEND", "LITERAL+", "LIST-STATUS", "CONDSTORE", "UIDPLUS") if opened.can(name)}
    assert can == ({"UIDPLUS"} if isinstance(other, Courier) else can)
    assert isinstance(other, Courier) or {"MULTIAPPEND", "LITERAL+", "LIST-STATUS", "CONDSTORE"} <= can


def test_a_mailbox_comes_from_there_as_it_is(other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger) -> None:
    taken = stock(other, user, 1, 120)
    before = look(other, user)
    report = run(other, dovecot, user, ledger)
    assert (report.state, report.words, report.refusals) == (State.DONE, "", ())
    assert (report.tally.copied, report.tally.balanced) == (taken, True)
    assert expected(dovecot.seen(user)) == expected(before)
    assert look(other, user) == before
    assert set(FOLDERS[1:]) <= dovecot.folders(user)
    there = set(dovecot.doveadm("mailbox", "list", "-s", "-u", user).splitlines())
    assert set(FOLDERS[1::2]) <= there
    assert not set(FOLDERS[2::2]) & there


def test_only_what_is_new_or_changed_comes_again(other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger) -> None:
    stock(other, user, 2, 60)
    run(other, dovecot, user, ledger)
    assert run(other, dovecot, user, ledger).tally.octets == 0
    with logged_in(other.port, user) as client:
        put(client, own_name(other, "Work"), b"Message-ID: <late@x>\r\n\r\nlate\r\n", "\\Flagged own-label")
        client.select(quoted(own_name(other, "Work")))
        client.store("1:3", "+FLAGS", "(\\Answered NonJunk)")
        client.store("4", "-FLAGS", "(\\Seen own-label)")
    report = run(other, dovecot, user, ledger)
    assert (report.state, report.tally.new, report.tally.balanced) == (State.DONE, 1, True)
    assert expected(dovecot.seen(user)) == expected(look(other, user))


def test_a_lost_ledger_doubles_nothing_whichever_side_is_which(
    other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger, request: pytest.FixtureRequest
) -> None:
    taken = stock(other, user, 3, 80)
    run(other, dovecot, user, ledger)
    here, there = look(other, user), dovecot.seen(user)
    for source, target in ((other, dovecot), (dovecot, other)):
        fresh = SqlLedger("sqlite://", RealClock())
        report = run(source, target, user, fresh)
        assert (report.state, report.tally.recognised, report.tally.octets) == (State.DONE, taken, 0)
        assert (look(other, user), dovecot.seen(user)) == (here, there)
        fresh.close()


def test_a_mailbox_goes_there_or_its_messages_are_named(
    other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger
) -> None:
    """Cyrus refuses what has no header; Courier takes everything."""
    fill(dovecot, user, 4, 150)
    raw = b"Message-ID: <8bit@x>\nSubject: J\xf6rg gr\xfc\xdft\nFrom: \xff <a@example.org>\n\nbody\n"
    (dovecot.maildir(user) / "new" / "1.eight.host").write_bytes(raw)
    dovecot.own(dovecot.maildir(user) / "new")
    report = run(dovecot, other, user, ledger)
    assert (report.state, report.tally.balanced, report.tally.waiting) == (State.DONE, True, 0)
    want, have = expected(dovecot.seen(user)), look(other, user)
    plain = Counter(ended(one) for one in want.elements())
    there = Counter(ended(one) for one in have.elements())
    assert not there - plain
    missing = plain - there
    assert sum(missing.values()) == report.tally.refused == len(report.refusals)
    assert all(one.content.startswith(b"no header at all") for one in missing)
    assert bool(missing) == isinstance(other, Cyrus)
    assert not [name for name in names(other, user) if "Pwned" in name]
    here = {name.strip("/") for name in dovecot.doveadm("mailbox", "list", "-s", "-u", user).splitlines()}
    assert {harmless(name) for name in here} <= {harmless(name) for name in names(other, user, subscribed=True)}
    copy = copying(endpoint(dovecot, user), endpoint(other, user))
    assert verify_mailbox(copy, Means(ledger, RealClock()), 30).grade is Grade.GOOD
    fresh = SqlLedger("sqlite://", RealClock())
    again = run(dovecot, other, user, fresh)
    assert (again.tally.recognised, again.tally.octets) == (report.tally.copied, 0)
    fresh.close()


def ended(one: Seen) -> Seen:
    """Without what these servers change: the last line end, and octets outside ASCII in a header (Cyrus writes X)."""
    header, empty, text = one.content.partition(b"\n\n")
    content = re.sub(rb"[\x80-\xff]", b"X", header) + empty + text
    return replace(one, folder=harmless(one.folder), content=content.removesuffix(b"\n"))


def harmless(name: str) -> str:
    """Where a name lands that a server may refuse."""
    return re.sub(r'["%*\\]|[^\0-\uffff]', "_", name)


def test_later_passes_there_carry_what_is_new_or_changed(
    other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger
) -> None:
    fill(dovecot, user, 5, 60, ((), ("Work",)))
    first = run(dovecot, other, user, ledger)
    assert run(dovecot, other, user, ledger).tally.octets == 0
    dovecot.doveadm("flags", "add", "-u", user, "\\Flagged own-label", "mailbox", "INBOX", "1:5")
    dovecot.doveadm("flags", "remove", "-u", user, "\\Seen", "mailbox", "INBOX", "6:9")
    late = dovecot.maildir(user) / "new" / "1.late.host"
    late.write_bytes(b"Message-ID: <late@x>\n\nlate\n")
    dovecot.own(late)
    report = run(dovecot, other, user, ledger)
    assert (report.state, report.tally.new) == (State.DONE, 1)
    assert report.tally.copied == first.tally.copied + 1
    missing = Counter(ended(one) for one in expected(dovecot.seen(user)).elements())
    missing -= Counter(ended(one) for one in look(other, user).elements())
    assert sum(missing.values()) == report.tally.refused
    assert all(one.content.startswith(b"no header at all") for one in missing)


def test_names_that_a_server_refuses_are_changed_the_same_way_every_time(
    other: Other, dovecot: Dovecot, user: str, ledger: SqlLedger
) -> None:
    for number, name in enumerate(("a*b", "a%b", "a_b", "x📬y", "100% sure/50%")):
        dovecot.doveadm("mailbox", "create", "-u", user, name)
        with logged_in(dovecot.port, user) as client:
            wire = re.sub(r"[^\x20-\x7e]+", lambda run: _shifted(run[0]), name)
            put(client, wire, b"Message-ID: <%d@x>\r\nSubject: s\r\n\r\nbody\r\n" % number)
    for new in (5, 0):
        report = run(dovecot, other, user, ledger)
        assert (report.state, report.tally.new) == (State.DONE, new)
    held = {one.folder: one.content for one in look(other, user)}
    assert len(held) == 5
    assert held["a_b"].startswith(b"Message-ID: <2@x>")
    fresh = SqlLedger("sqlite://", RealClock())
    report = run(dovecot, other, user, fresh)
    assert (report.tally.recognised, report.tally.octets) == (5, 0)
    fresh.close()
    copy = copying(endpoint(dovecot, user), endpoint(other, user))
    assert verify_mailbox(copy, Means(ledger, RealClock()), 5).grade is Grade.PERFECT


def test_a_dot_in_a_name_is_no_reason_to_leave_mail_behind(dovecot: Dovecot, user: str, ledger: SqlLedger) -> None:
    """Dovecot with Maildir keeps dots for itself, even where its separator is a slash."""
    source = Cyrus("dots", modern=True)
    source.add_user(user)
    source.start()
    try:
        with logged_in(source.port, user) as client:
            client.create(quoted("v1.0"))
            put(client, "v1.0", b"Message-ID: <1@x>\r\nSubject: s\r\n\r\nbody\r\n")
        for new in (1, 0):
            report = run(source, dovecot, user, ledger)
            assert (report.state, report.tally.new) == (State.DONE, new)
    finally:
        source.remove()
    assert {one.folder for one in dovecot.seen(user)} == {"v1_0"}


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_line_cut_anywhere_loses_and_doubles_nothing(direction: str, other: Other, dovecot: Dovecot) -> None:
    """Each step has an account of its own: what is cut off once is brought by the next attempt."""
    whole = 0
    patience = Patience(attempts=4, settle=timedelta(seconds=0.5))
    for step in (0, 2, 4):
        user = _USERS[next(_numbers)]
        fill(dovecot, user, 6, 30, ((), ("Work",)))
        cut = whole * step // 5 or None
        ledger = SqlLedger("sqlite://", RealClock())
        with Proxy(other.port, cut_after=cut, cut_side=direction) as proxy:
            copy = copying(endpoint(dovecot, user), endpoint(other, user, port=proxy.own_port))
            report = copy_mailbox(copy, Means(ledger, RealClock(), patience=patience, sleep=lambda _: sleep(0.05)))
            whole = whole or proxy.passed[direction]
        assert (report.state, report.tally.balanced, report.tally.waiting) == (State.DONE, True, 0), (step, report)
        want = Counter(ended(one) for one in expected(dovecot.seen(user)).elements())
        have = Counter(ended(one) for one in look(other, user).elements())
        assert not have - want, step
        assert sum((want - have).values()) == report.tally.refused, step
        ledger.close()
