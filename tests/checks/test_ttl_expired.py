from datetime import timedelta

from reconciler.checks.ttl_expired import CHECK
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Wait
from tests.support.changes import NEW_MX, TURNS, address, gated, make, mx
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts, seen
from tests.support.specs import spec, state

MX = "example.org. MX"
TURN = Change(mx(), mx(NEW_MX))
DAY = timedelta(days=1)


def judge(*changes, observed=None, of=None, **known):
    world = state(mx()) if observed is None else observed
    return CHECK.judge(of or spec(), facts(Stage.CUTOVER, world, *changes, **known))


def test_it_passes_once_the_old_ttl_has_run_out_at_the_slowest_name_server() -> None:
    history = seen(("ns1", 0, mx(ttl=86400)), ("ns2", 0, mx(ttl=86400)), ("ns1", 60, mx()), ("ns2", 600, mx()))
    until = MONDAY_MORNING + timedelta(seconds=600) + DAY

    early = judge(TURN, histories={MX: history}, now=until - timedelta(seconds=1))
    assert isinstance(early, Wait)
    assert early.until == until
    assert early.why == (
        "ns2 was the last to give up the earlier example.org. MX, seen 2026-03-02 08:10 UTC, with a TTL of 24 h "
        "(86400 s); caches may keep what stood before that long"
    )
    assert isinstance(judge(TURN, histories={MX: history}, now=until), Pass)


def test_the_margin_of_the_spec_is_added() -> None:
    history = seen(("ns1", 0, mx(ttl=86400)), ("ns1", 60, mx()))
    answer = judge(TURN, of=spec(waits={"margin": "1h"}), histories={MX: history})
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=60 + 3600) + DAY
    assert "and the margin of 1 h" in answer.why


def test_a_ttl_that_this_plan_lowers_has_no_known_time_yet() -> None:
    before = state(mx(ttl=86400))
    assert judge(TURN, observed=before, expected=state(mx()), histories={MX: seen(("ns1", 0, mx(ttl=86400)))}) == Wait(
        None,
        "first the TTL of example.org. MX is changed from 86400 to 300; then it takes 24 h (86400 s) until caches have "
        "forgotten the old one",
    )


def test_a_name_server_that_still_serves_the_old_ttl_stops_the_clock() -> None:
    history = seen(("ns1", 0, mx(ttl=86400)), ("ns2", 0, mx(ttl=86400)), ("ns1", 60, mx()))
    answer = judge(TURN, histories={MX: history}, now=MONDAY_MORNING + 30 * DAY)
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "last ns2 with 10 mx.old.example., TTL 86400" in answer.why


def test_without_a_sighting_apply_has_to_start_the_clock() -> None:
    answer = judge(TURN)
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "nobody has noted yet" in answer.why


def test_a_value_that_was_always_served_waits_its_own_ttl_from_the_first_sighting() -> None:
    known = {MX: seen(("ns1", 0, mx()), ("ns2", 100, mx()))}
    answer = judge(TURN, histories=known)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=400)
    assert isinstance(judge(TURN, histories=known, now=answer.until), Pass)


def test_of_mx_and_host_addresses_the_longest_wait_counts() -> None:
    host = "mail.example.org"
    of = spec(hosts={host: {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}})
    turns = (TURN, Change(address(host, "192.0.2.1"), address(host, "198.51.100.1")))
    histories = {
        MX: seen(("ns1", 0, mx(ttl=600)), ("ns1", 60, mx())),
        f"{host}. A": seen(("ns1", 0, address(host, "192.0.2.1", 7200)), ("ns1", 60, address(host, "192.0.2.1"))),
    }
    world = state(mx(), address(host, "192.0.2.1"))
    answer = judge(*turns, observed=world, of=of, histories=histories)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(seconds=7260)
    assert "example.org. MX" in answer.why
    assert "mail.example.org. A" in answer.why


def test_an_address_that_did_not_exist_has_nothing_to_expire() -> None:
    of = spec(hosts={"mail.example.org": {"old": ["192.0.2.1"], "new": ["2001:db8::1"]}})
    assert isinstance(judge(make(address("mail.example.org", "2001:db8::1")), of=of), Pass)


def test_going_back_is_never_held_up() -> None:
    back = Change(mx(NEW_MX), mx())
    assert Stage.OVERLAP not in CHECK.stages
    assert isinstance(judge(back, observed=state(mx(NEW_MX))), Pass)


def test_it_holds_back_the_turns_and_nothing_else() -> None:
    assert gated(CHECK) == TURNS
