import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from reconciler.checks.name_servers_agree import CHECK
from reconciler.checks.served_as_written import CHECK as SERVED
from reconciler.model.outside import Outside, ZoneServers
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait, Warn
from reconciler.probes.name_servers import PROBE
from tests.lab.loopback import Loopback
from tests.lab.nsd_zones import NsdZones
from tests.lab.ports import own_port
from tests.lab.unbound import Unbound
from tests.probes.around import around
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec, state

pytestmark = pytest.mark.daemon

_SOA = "$TTL 60\n@ IN SOA ns1.example.org. host.example.org. {serial} 7200 3600 1209600 60\n"


class World:
    """A zone org that delegates example.org, the servers of both at port 53, and a resolver that starts at org."""

    def __init__(self) -> None:
        self.net = Loopback()
        self.daemons: list[NsdZones | Unbound] = []
        self.resolver = ""

    def serve(self, number: int, zones: dict[str, str]) -> NsdZones:
        server = NsdZones(zones, self.net.address(number), 53)
        self.daemons.append(server)
        return server.start()

    def zone(self, *names: str, serial: int = 7) -> str:
        listed = "".join(f"@ IN NS {name}\n" for name in names)
        return f"{_SOA.format(serial=serial)}{listed}mail IN A 192.0.2.1\n{self.glue()}"

    def glue(self, suffix: str = "") -> str:
        return "".join(f"ns{number}{suffix} IN A {self.net.address(number)}\n" for number in range(1, 5))

    def delegate(self, *names: str, more: dict[str, str] | None = None) -> None:
        """The parent zone on a server of its own, and the resolver."""
        named = "".join(f"example IN NS {name}.example.org.\n" for name in names)
        org = f"{_SOA.format(serial=1)}@ IN NS ns9.org.\nns9.org. IN A {self.net.address(9)}\n{named}"
        parent = self.serve(9, {"org": f"{org}{self.glue('.example')}", **(more or {})})
        unbound = Unbound({"org": [parent]})
        self.daemons.append(unbound)
        self.resolver = unbound.start().where

    def seen(self, domain: str = "example.org", *records: RRset, timeout: int = 2) -> ZoneServers:
        mailboxes = [{"address": f"ann@{domain}"}]
        move = spec(domain=domain, mailboxes=mailboxes, probe={"resolver": self.resolver, "timeout": timeout})
        found = PROBE.gather(move, around(*records))
        assert isinstance(found, ZoneServers)
        return found

    def judged(self, stage: Stage = Stage.CUTOVER, timeout: int = 2):
        outside = Outside((self.seen(timeout=timeout),))
        return CHECK.judge(spec(), dataclasses.replace(facts(stage, {}), outside=outside))

    def compared(self, *records: RRset):
        """What is served against what the zone's keeper shows."""
        known = facts(Stage.CUTOVER, state(*records))
        return SERVED.judge(spec(), dataclasses.replace(known, outside=Outside((self.seen("example.org", *records),))))

    def at(self, number: int) -> str:
        return f"ns{number}.example.org ({self.net.address(number)})"


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    for daemon in made.daemons:
        daemon.remove()
    made.net.close()


@pytest.fixture
def two(world: World) -> Callable[..., None]:
    """The zone names ns1 and ns2, and both serve it."""

    def start(*delegated: str, second: int = 7) -> None:
        world.serve(1, {"example.org": world.zone("ns1", "ns2")})
        world.serve(2, {"example.org": world.zone("ns1", "ns2", serial=second)})
        world.delegate(*(delegated or ("ns1", "ns2")))

    return start


def test_without_a_resolver_in_the_spec_nobody_is_asked():
    assert PROBE.gather(spec(), around()) is None
    assert isinstance(CHECK.judge(spec(), facts(Stage.CUTOVER, {})), Pass)


def test_servers_that_agree_and_are_those_of_the_delegation_pass(world, two):
    two()
    assert [(str(s), s.serial, s.delegated, s.listed, s.trouble) for s in world.seen().servers] == [
        (world.at(1), 7, True, True, ""),
        (world.at(2), 7, True, True, ""),
    ]
    assert world.judged() == Pass("2 name servers with serial 7, those of the delegation")


def test_a_domain_below_the_top_of_its_zone_has_the_servers_of_that_zone(world, two):
    two()
    assert world.seen("sub.example.org").zone == "example.org."
    assert len(world.seen("sub.example.org").servers) == 2


def test_another_serial_is_told_with_who_serves_it(world, two):
    two(second=6)
    answer = world.judged()
    assert isinstance(answer, Warn)
    assert answer.why == (
        f"the name servers of example.org. do not agree: {world.at(2)} serial 6 and {world.at(1)} serial 7"
    )
    assert answer.todo == "see that each of them runs and follows the primary"


def test_a_forgotten_server_of_the_delegation_that_is_stale_holds_the_cutover_back(world, two):
    world.serve(3, {"example.org": world.zone("ns1", "ns3", serial=2)})
    two("ns1", "ns3")
    answer = world.judged()
    assert isinstance(answer, Fail)
    assert answer.why == (
        f"{world.at(3)} with serial 2 would go on naming the old server: the parent zone sends the world there, "
        "example.org. itself (serial 7) does not know it"
    )
    before = world.judged(Stage.OVERLAP)
    assert isinstance(before, Warn)
    assert "the parent zone sends the world to ns3.example.org, which example.org. itself does not name" in before.why


def test_one_that_is_up_to_date_is_only_told(world, two):
    world.serve(3, {"example.org": world.zone("ns1", "ns2")})
    two("ns1", "ns2", "ns3")
    answer = world.judged()
    assert isinstance(answer, Warn)
    assert answer.why == "the parent zone sends the world to ns3.example.org, which example.org. itself does not name"


def test_a_server_that_only_the_zone_names_is_told(world, two):
    two("ns1")
    answer = world.judged()
    assert isinstance(answer, Warn)
    assert answer.why == "example.org. names ns2.example.org, which the parent zone does not know"


def test_a_server_that_is_down_and_one_that_does_not_serve_the_zone_are_told(world):
    world.serve(1, {"example.org": world.zone("ns1", "ns2", "ns3")})
    world.serve(2, {"example.net": world.zone("ns1")})
    world.delegate("ns1", "ns2", "ns3")
    answer = world.judged(timeout=4)  # the resolver tries the dead ones first, if it likes
    assert isinstance(answer, Warn)
    assert answer.why == (
        f"the name server {world.at(2)} answers REFUSED for example.org. SOA; "
        f"the name server {world.at(3)} does not answer within 4 seconds"
    )


def test_a_server_whose_name_has_no_address_is_told(world):
    world.serve(1, {"example.org": world.zone("ns1", "ns8")})
    world.delegate("ns1")
    answer = world.judged()
    assert isinstance(answer, Warn)
    assert "the name server ns8.example.org has no address" in answer.why


def test_where_one_server_has_both_zones_no_delegation_can_be_seen(world):
    world.serve(1, {"example.org": world.zone("ns1")})
    world.delegate("ns1", more={"example.org": world.zone("ns1")})
    assert world.seen().hidden
    assert world.judged() == Pass("1 name server with serial 7")


_MX = RRset.of("example.org", "MX", 60, "10 mx.old.example.")
_TXT = RRset.of("example.org", "TXT", 60, "v=spf1 -all", "site=1")
_SERVED = '@ IN MX 10 mx.old.example.\n@ IN TXT "v=spf1 " "-all"\n@ IN TXT "site=1"\n'


def test_what_every_server_serves_is_what_the_keeper_shows(world):
    for number in (1, 2):
        world.serve(number, {"example.org": world.zone("ns1", "ns2") + _SERVED})
    world.delegate("ns1", "ns2")
    assert [dict(server.served) for server in world.seen("example.org", _MX, _TXT).servers] == [
        {_MX.name: _MX, _TXT.name: _TXT}
    ] * 2
    assert world.compared(_MX, _TXT) == Pass("2 record sets of the move, the same at all name servers as in the zone")


def test_a_zone_that_nobody_asks_holds_the_cutover_back(world):
    world.serve(1, {"example.org": f"{world.zone('ns1')}@ IN MX 10 mx.somewhere.example.\n"})
    world.delegate("ns1")
    answer = world.compared(_MX, _TXT)
    assert isinstance(answer, Fail)
    assert answer.why == (
        f"the world is not told what the zone's keeper shows: {world.at(1)} serves 10 mx.somewhere.example. for "
        f"example.org. MX, the zone has 10 mx.old.example. and {world.at(1)} serves nothing for example.org. TXT, the "
        "zone has site=1 and v=spf1 -all"
    )
    assert "dns in the spec is where the zone is really kept" in answer.todo


def test_a_server_that_has_not_followed_yet_is_waited_for(world):
    world.serve(1, {"example.org": f"{world.zone('ns1', 'ns2', serial=8)}{_SERVED}"})
    world.serve(2, {"example.org": world.zone("ns1", "ns2", serial=7)})
    world.delegate("ns1", "ns2")
    answer = world.compared(_MX)
    assert isinstance(answer, Wait)
    assert answer.until == MONDAY_MORNING + timedelta(minutes=5)
    assert answer.why == (
        f"not every name server has followed yet: {world.at(2)} serves nothing for example.org. MX, the zone has "
        "10 mx.old.example."
    )


def test_a_server_that_does_not_serve_the_zone_is_not_compared(world):
    world.serve(1, {"example.net": world.zone("ns1")})
    world.delegate("ns1")
    assert not any(server.served for server in world.seen("example.org", _MX).servers)


def test_a_resolver_that_is_down_is_told(world):
    world.resolver = f"127.0.0.1:{own_port()}"
    answer = world.judged()
    assert isinstance(answer, Warn)
    assert f"the resolver {world.resolver} does not answer within 2 seconds" in answer.why
