from reconciler.checks.mail_left_behind import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import NEW_MX, address, gated, mailbox, mx
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

BACK = Change(mx(NEW_MX), mx())
WORLD = (mailbox(), mailbox(Place.NEW, "bob@example.org"), mailbox(Place.NEW, "x@other.example"), mailbox(Place.OLD))


def judge(world, *changes, of=None, **known):
    return CHECK.judge(of or spec(), facts(Stage.OVERLAP, state(*WORLD, world), *changes, **known))


def test_going_back_names_the_time_and_the_mailboxes() -> None:
    history = seen(("ns1", 0, mx()), ("ns1", 3600, mx(NEW_MX)), ("ns2", 0, mx()), ("ns2", 7200, mx(NEW_MX)))
    answer = judge(mx(NEW_MX), BACK, histories={"example.org. MX": history})
    assert isinstance(answer, Warn)
    assert answer.why == (
        "mail that has arrived on the new server since 2026-03-02 09:00 UTC, in up to 2 mailboxes, stays there; "
        "on the old server its readers miss it"
    )
    assert "copy it back" in answer.todo


def test_where_the_mail_is_copied_it_is_brought_back() -> None:
    of = spec(copy={"old": {"host": "imap.old.example"}, "new": {"host": "imap.new.example"}})
    answer = judge(mx(NEW_MX), BACK, of=of)
    assert isinstance(answer, Pass)
    assert "copied back" in answer.evidence


def test_without_sightings_the_time_is_the_cutovers() -> None:
    answer = judge(mx(NEW_MX), BACK)
    assert isinstance(answer, Warn)
    assert "since the cutover" in answer.why


def test_a_host_that_stays_turns_back_too() -> None:
    host, same = "mail.example.org", {"mx": ["10 mail.example.org"]}
    of = spec(old=same, new=same, hosts={host: {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}})
    back = Change(address(host, "198.51.100.1"), address(host, "192.0.2.1"))
    assert isinstance(judge(address(host, "198.51.100.1"), back, of=of), Warn)


def test_going_on_leaves_nothing_behind() -> None:
    assert isinstance(judge(mx(ttl=86400), Change(mx(ttl=86400), mx())), Pass)


def test_it_holds_back_nothing() -> None:
    assert gated(CHECK) == set()
