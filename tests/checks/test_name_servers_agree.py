import dataclasses

from reconciler.checks.name_servers_agree import CHECK
from reconciler.model.outside import Outside, ZoneServer, ZoneServers
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import TURNS, gated
from tests.support.facts import facts
from tests.support.specs import spec

NS1 = ZoneServer("ns1.example.org", "192.0.2.1", delegated=True, listed=True, serial=7)
STALE = ZoneServer("ns2.example.net", "192.0.2.2", delegated=True, listed=False, serial=6)


def judge(*servers: ZoneServer, stage: Stage = Stage.CUTOVER, back: bool = False, trouble: str = ""):
    outside = Outside((ZoneServers("example.org.", servers, trouble=trouble),))
    return CHECK.judge(spec(), dataclasses.replace(facts(stage, {}), outside=outside, back=back))


def test_it_holds_back_the_turns_and_nothing_else():
    assert gated(CHECK) == TURNS


def test_a_stale_server_in_the_delegation_fails_on_the_way_to_the_new_server_alone():
    assert isinstance(judge(NS1, STALE), Fail)
    assert isinstance(judge(NS1, STALE, stage=Stage.OVERLAP), Warn)
    assert isinstance(judge(NS1, STALE, back=True), Warn)


def test_a_dead_server_in_the_delegation_is_told():
    dead = dataclasses.replace(STALE, serial=None, trouble="does not answer within 2 seconds")
    answer = judge(NS1, dead)
    assert isinstance(answer, Warn)
    assert answer.why == (
        "the name server ns2.example.net (192.0.2.2) does not answer within 2 seconds; "
        "the parent zone sends the world to ns2.example.net, which example.org. itself does not name"
    )


def test_what_could_not_be_compared_is_told_with_its_reason():
    answer = judge(trouble="the resolver 127.0.0.1:53 answers SERVFAIL for org. SOA")
    assert isinstance(answer, Warn)
    assert answer.why.endswith("could not be compared: the resolver 127.0.0.1:53 answers SERVFAIL for org. SOA")


def test_one_server_at_two_addresses_is_two():
    assert judge(NS1, dataclasses.replace(NS1, address="192.0.2.9")) == Pass(
        "2 name servers with serial 7, those of the delegation"
    )
