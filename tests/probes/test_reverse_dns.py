import dataclasses
from collections.abc import Iterator

import pytest

from reconciler.checks.reverse_dns import CHECK
from reconciler.model.outside import Outside, ReverseName, ReverseNames
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from reconciler.probes.reverse_dns import PROBE
from tests.lab.bind import Bind
from tests.lab.ports import own_port
from tests.lab.unbound import Unbound
from tests.probes.around import around
from tests.support.facts import facts
from tests.support.specs import spec

pytestmark = pytest.mark.daemon

_SOA = "$TTL 60\n@ IN SOA ns.outside.test. host.outside.test. 1 7200 3600 1209600 60\n@ IN NS ns.outside.test.\n"
ZONES = {
    "new.example": (
        f"{_SOA}mail IN A 198.51.100.1\nmail IN AAAA 2001:db8::25\nother IN A 198.51.100.99\nnine IN A 198.51.100.9\n"
    ),
    "100.51.198.in-addr.arpa": (
        f"{_SOA}1 IN PTR Mail.new.example.\n2 IN PTR other.new.example.\n3 IN PTR mail.nowhere.example.\n"
        "4 IN CNAME 4.customer\n4.customer IN PTR mail.new.example.\n"
        "9 IN PTR other.new.example.\n9 IN PTR nine.new.example.\n"
    ),
    "8.b.d.0.1.0.0.2.ip6.arpa": f"{_SOA}5.2{'.0' * 22} IN PTR mail.new.example.\n",
}


@pytest.fixture(scope="module")
def bind() -> Iterator[Bind]:
    server = Bind(ZONES)
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture(scope="module")
def resolver(bind: Bind) -> Iterator[Unbound]:
    """It knows no more of the world than these zones, and of one that its name server does not serve."""
    unbound = Unbound({zone: [bind] for zone in (*ZONES, "113.0.203.in-addr.arpa")})
    try:
        yield unbound.start()
    finally:
        unbound.remove()


def asking(where: str, *senders: str):
    return spec(probe={"resolver": where, "timeout": 2}, new={"senders": list(senders)})


def seen(move) -> tuple[ReverseName, ...]:
    found = PROBE.gather(move, around())
    assert isinstance(found, ReverseNames)
    return found.found


def judged(move):
    return CHECK.judge(
        move, dataclasses.replace(facts(Stage.OVERLAP, {}), outside=Outside((PROBE.gather(move, around()),)))
    )


def test_without_a_resolver_in_the_spec_nobody_is_asked():
    assert PROBE.gather(spec(), around()) is None
    assert PROBE.gather(spec(probe={"smtp": "127.0.0.1"}), around()) is None
    assert isinstance(CHECK.judge(spec(), facts(Stage.OVERLAP, {})), Pass)


def test_a_name_that_leads_back_passes_over_both_protocols(resolver: Unbound):
    move = asking(resolver.where, "ip4:198.51.100.1", "ip6:2001:db8::25")
    assert seen(move) == (
        ReverseName("198.51.100.1", ("mail.new.example",), ("mail.new.example",)),
        ReverseName("2001:db8::25", ("mail.new.example",), ("mail.new.example",)),
    )
    assert judged(move) == Pass("2 addresses with a name that leads back")


def test_one_of_several_names_is_enough(resolver: Unbound):
    move = asking(resolver.where, "ip4:198.51.100.9")
    assert seen(move) == (
        ReverseName("198.51.100.9", ("nine.new.example", "other.new.example"), ("nine.new.example",)),
    )
    assert isinstance(judged(move), Pass)


def test_a_name_that_has_no_address_does_not_lead_back(resolver: Unbound):
    assert seen(asking(resolver.where, "ip4:198.51.100.3"))[0] == ReverseName("198.51.100.3", ("mail.nowhere.example",))


def test_what_cannot_be_found_out_is_not_taken_for_an_answer(resolver: Unbound):
    move = asking(resolver.where, "ip4:203.0.113.1")
    assert seen(move)[0].trouble == "answers SERVFAIL for 1.113.0.203.in-addr.arpa. PTR"
    answer = judged(move)
    assert isinstance(answer, Warn)
    assert answer.todo == "see that the resolver answers this machine, or name another one in probe.resolver"


def test_an_address_whose_zone_was_handed_to_the_customer_is_followed(resolver: Unbound):
    (found,) = seen(asking(resolver.where, "ip4:198.51.100.4"))
    assert found.names == ("mail.new.example",)


def test_a_name_of_another_address_is_told(resolver: Unbound):
    answer = judged(asking(resolver.where, "ip4:198.51.100.2"))
    assert isinstance(answer, Warn)
    assert answer.why == (
        "the new server sends from 198.51.100.2, whose name other.new.example does not lead back to it"
    )
    assert "PTR record" in answer.todo


def test_an_address_without_a_name_is_told(resolver: Unbound):
    answer = judged(asking(resolver.where, "ip4:198.51.100.7", "ip4:198.51.100.8"))
    assert isinstance(answer, Warn)
    assert answer.why == (
        "the new server sends from 198.51.100.7 and 198.51.100.8, which the DNS has no name for (PTR)"
    )


def test_networks_and_includes_are_not_asked_about(resolver: Unbound):
    move = asking(resolver.where, "ip4:198.51.100.0/24", "include:_spf.example", "mx")
    assert seen(move) == ()
    assert judged(move) == Pass("new.senders names no single address")


def test_a_resolver_that_is_down_is_told_and_named():
    where = f"127.0.0.1:{own_port()}"
    answer = judged(asking(where, "ip4:198.51.100.1"))
    assert isinstance(answer, Warn)
    assert f"could not be looked up: the resolver {where} does not answer within 2 seconds" in answer.why


def test_a_name_server_that_is_no_resolver_is_not_believed(bind: Bind):
    answer = judged(asking(bind.where, "ip4:198.51.100.1"))
    assert isinstance(answer, Warn)
    assert "asks nobody else: it is no resolver, or not for this machine" in answer.why
