from datetime import timedelta

import pytest

from reconciler.checks.mail_goes_elsewhere import CHECK
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait
from tests.support.changes import NEW_MX, gated, mailbox, mx
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

NEW_GONE, OLD_GONE = Change(mailbox(Place.NEW), None), Change(mailbox(Place.OLD), None)
BOTH = mx().model_copy(update={"rdata": mx().rdata | {"20 mx.new.example."}})
HOURS = timedelta(hours=1)


def judge(*changes, zone=None, **known):
    return CHECK.judge(spec(), facts(Stage.PREPARE, state(zone or mx()), *changes, **known))


@pytest.mark.parametrize(
    ("gone", "zone", "stays"),
    [
        (NEW_GONE, mx(), False),
        (NEW_GONE, mx(NEW_MX), True),
        (NEW_GONE, BOTH, True),
        (OLD_GONE, mx(), True),
        (OLD_GONE, BOTH, True),
        (NEW_GONE, RRset.of("example.org", "MX", 300, "5 other.example."), False),
        (NEW_GONE, RRset.of("example.org", "MX", 300, "0 ."), False),
    ],
)
def test_an_account_stays_while_an_mx_names_its_server_whoever_has_written_it(gone, zone, stays) -> None:
    answer = judge(gone, zone=zone)
    assert isinstance(answer, Fail if stays else Pass)
    if isinstance(answer, Fail):
        assert "example.org. MX names " in answer.why
        assert "take it out of example.org. MX" in answer.todo


def test_what_an_earlier_step_turns_away_must_first_be_forgotten() -> None:
    answer = judge(NEW_GONE, zone=mx(NEW_MX), expected=state(mx()))
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert answer.why.startswith("first example.org. MX is changed; then it takes ")


def test_what_a_later_step_puts_back_holds_an_account_too() -> None:
    answer = judge(NEW_GONE, end=state(mx(NEW_MX)))
    assert isinstance(answer, Fail)
    assert answer.why.startswith("at the end of this plan example.org. MX names mx.new.example., the new server, again")


def test_caches_are_waited_for_with_their_time() -> None:
    turned_back = {"example.org. MX": seen(("ns1", 0, mx(NEW_MX)), ("ns1", 3600, mx()))}
    ttl = timedelta(seconds=mx(NEW_MX).ttl)
    early = judge(NEW_GONE, histories=turned_back, now=MONDAY_MORNING + HOURS)
    assert isinstance(early, Wait)
    assert early.until == MONDAY_MORNING + HOURS + ttl + spec().waits.margin
    assert isinstance(judge(NEW_GONE, histories=turned_back, now=early.until), Pass)


def test_what_was_served_before_the_first_look_at_an_old_server_is_waited_for() -> None:
    first = {"example.org. MX": seen(("ns1", 0, mx(NEW_MX)))}
    answer = judge(OLD_GONE, zone=mx(NEW_MX), histories=first)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(days=1) + spec().waits.margin
    assert isinstance(judge(OLD_GONE, zone=mx(NEW_MX), histories=first, now=answer.until), Pass)


def test_an_old_server_keeps_its_accounts_until_somebody_has_looked_at_the_name_servers() -> None:
    answer = judge(OLD_GONE, zone=mx(NEW_MX), histories={})
    assert isinstance(answer, Wait)
    assert answer.until is None


def test_a_name_server_that_lags_is_waited_for() -> None:
    lagging = {"example.org. MX": seen(("ns1", 0, mx()), ("ns2", 0, mx(NEW_MX)))}
    answer = judge(NEW_GONE, histories=lagging)
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "ns2" in answer.why


SHARED = spec(
    old={"backend": "memory", "mx": ["10 mail.example.org"]},
    new={"backend": "memory", "mx": ["10 mail.example.org"]},
    hosts={"mail.example.org": {"old": ["192.0.2.10"], "new": ["198.51.100.7"]}},
)
SAME_MX = RRset.of("example.org", "MX", 300, "10 mail.example.org.")


@pytest.mark.parametrize(
    ("gone", "address", "stays"),
    [
        (NEW_GONE, "192.0.2.10", False),
        (NEW_GONE, "198.51.100.7", True),
        (OLD_GONE, "192.0.2.10", True),
    ],
)
def test_a_host_name_that_stays_leads_where_its_address_does(gone, address, stays) -> None:
    host = RRset.of("mail.example.org", "A", 300, address)
    answer = CHECK.judge(SHARED, facts(Stage.PREPARE, state(SAME_MX, host), gone))
    assert isinstance(answer, Fail if stays else Pass)


def test_a_host_address_that_caches_may_hold_is_waited_for() -> None:
    old, new = (RRset.of("mail.example.org", "A", 7200, each) for each in ("192.0.2.10", "198.51.100.7"))
    known = {"mail.example.org. A": seen(("ns1", 0, new), ("ns1", 60, old))}
    answer = CHECK.judge(SHARED, facts(Stage.PREPARE, state(SAME_MX, old), NEW_GONE, histories=known))
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=7260) + SHARED.waits.margin


def test_without_an_mx_the_domain_itself_is_the_exchange() -> None:
    of = spec(new={"backend": "memory", "mx": ["10 mail.new.example"], "senders": ["ip4:198.51.100.7"]})
    apex = RRset.of("example.org", "A", 300, "198.51.100.7")
    answer = CHECK.judge(of, facts(Stage.PREPARE, state(apex), NEW_GONE))
    assert isinstance(answer, Fail)
    assert "example.org. A names 198.51.100.7" in answer.why


def test_another_name_in_the_zone_with_the_address_of_the_server_leads_there_too() -> None:
    of = spec(new={"backend": "memory", "mx": ["10 mail.new.example"], "senders": ["ip4:198.51.100.7"]})
    zone = (
        RRset.of("example.org", "MX", 300, "10 in.example.org."),
        RRset.of("in.example.org", "A", 1, "198.51.100.7"),
    )
    assert isinstance(CHECK.judge(of, facts(Stage.PREPARE, state(*zone), NEW_GONE)), Fail)


def test_it_is_asked_only_where_something_stops_to_take_mail() -> None:
    assert CHECK.only_to_gate
    assert isinstance(judge(zone=mx(NEW_MX)), Pass)
    assert gated(CHECK) >= {"alias removed", "catch-all removed"}
