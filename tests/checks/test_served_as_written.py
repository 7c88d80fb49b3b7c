import dataclasses
from datetime import timedelta

from reconciler.checks.served_as_written import CHECK
from reconciler.model.outside import Outside, ZoneServer, ZoneServers
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait, Warn
from tests.support.changes import NEW_MX, TURNS, gated, mx, txt
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec, state

MX = mx()
OTHER = mx(NEW_MX)


def server(number: int, *served: RRset, serial: int = 7, nothing: tuple[str, ...] = ()) -> ZoneServer:
    found = {rrset.name: rrset for rrset in served} | dict.fromkeys(nothing)
    return ZoneServer(f"ns{number}", f"192.0.2.{number}", delegated=True, listed=True, serial=serial, served=found)


def judge(*servers: ZoneServer, stage: Stage = Stage.CUTOVER, back: bool = False):
    outside = Outside((ZoneServers("example.org.", servers),))
    return CHECK.judge(spec(), dataclasses.replace(facts(stage, state(MX, txt("a"))), outside=outside, back=back))


def test_it_holds_back_the_turns_and_nothing_else():
    assert gated(CHECK) == TURNS


def test_without_the_fact_it_says_why_nothing_was_compared():
    assert isinstance(CHECK.judge(spec(), facts(Stage.CUTOVER, {})), Pass)
    assert judge() == Pass("not compared: no name server of the zone could be asked")


def test_the_same_everywhere_passes():
    assert judge(server(1, MX, txt("a")), server(2, MX)) == Pass(
        "2 record sets of the move, the same at all name servers as in the zone"
    )


def test_other_data_under_the_newest_serial_fails_on_the_way_to_the_cutover_and_is_told_elsewhere():
    wrong = server(2, OTHER)
    assert isinstance(judge(server(1, MX), wrong), Fail)
    assert isinstance(judge(server(1, MX), wrong, stage=Stage.OVERLAP), Warn)
    assert isinstance(judge(server(1, MX), wrong, back=True), Warn)
    assert isinstance(judge(server(1, MX), server(2, nothing=(MX.name,))), Fail)


def test_older_data_under_an_older_serial_is_waited_for():
    answer = judge(server(1, MX, serial=8), server(2, OTHER))
    assert answer == Wait(
        MONDAY_MORNING + timedelta(minutes=5),
        "not every name server has followed yet: ns2 (192.0.2.2) serves 10 mx.new.example. for example.org. MX, the "
        "zone has 10 mx.old.example.",
    )
    assert isinstance(judge(server(1, MX, serial=8), server(2, OTHER), stage=Stage.OVERLAP), Warn)


def test_another_ttl_is_told():
    answer = judge(server(1, mx(ttl=86400)))
    assert isinstance(answer, Warn)
    assert answer.why == (
        "ns1 (192.0.2.1) serves example.org. MX with a TTL of 24 h (86400 s), the zone has 5 min (300 s): caches keep "
        "it for as long as the server says"
    )


def test_what_the_keeper_does_not_show_is_not_compared():
    assert isinstance(judge(server(1, MX, txt("x", owner="www.example.org"))), Pass)
