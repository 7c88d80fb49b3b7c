import dataclasses
from collections.abc import Iterator

import pytest

from reconciler.checks.spf_passes import CHECK
from reconciler.model.change import Change
from reconciler.model.outside import Outside, SpfVerdict, SpfVerdicts
from reconciler.model.resource import Resource
from reconciler.model.rrset import quoted
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.probes.spf_verdicts import PROBE
from reconciler.spec.spec import Spec
from tests.lab.bind import Bind
from tests.lab.ports import own_port
from tests.lab.unbound import Unbound
from tests.probes.around import around
from tests.support.changes import NEW_MX, address, mx, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

pytestmark = pytest.mark.daemon

_SOA = "$TTL 60\n@ IN SOA ns.outside.test. host.outside.test. 1 7200 3600 1209600 60\n@ IN NS ns.outside.test.\n"
_DEEP = " ".join(f"include:d{number}.outside.test" for number in range(11))
ZONES = {
    "outside.test": (
        f'{_SOA}ns IN A 127.0.0.1\n_spf IN TXT "v=spf1 ip4:203.0.113.0/24 " "-all"\n'
        f"deep IN TXT {quoted(f'v=spf1 {_DEEP} -all')}\n"
        + "".join(f'd{number} IN TXT "v=spf1 ip4:203.0.113.{number} -all"\n' for number in range(11))
        + 'broken IN TXT "v=spf1 ipv4:203.0.113.1 -all"\n'
        'gone IN TXT "site=1"\nalias IN CNAME _spf\n'
        'empty IN TXT "v=spf1 a:x1.outside.test a:x2.outside.test a:x3.outside.test -all"\n'
    ),
    "example.org": f'{_SOA}@ IN TXT "v=spf1 -all"\nmail IN A 192.0.2.77\n@ IN MX 10 mail\n',
}


@pytest.fixture(scope="module")
def resolver() -> Iterator[Unbound]:
    """It knows the world of the tests, and of one zone only a name server that does not serve it."""
    bind = Bind(ZONES)
    unbound = Unbound({zone: [bind] for zone in (*ZONES, "silent.test")})
    try:
        bind.start()
        yield unbound.start()
    finally:
        unbound.remove()
        bind.remove()


def asking(resolver: Unbound, **more: object) -> Spec:
    return spec(probe={"resolver": resolver.where, "timeout": 2}, **more)


def seen(move: Spec, record: str, *more: Resource, stages: tuple[Stage, ...] = (Stage.OVERLAP,)) -> SpfVerdicts:
    zone = state(txt(record, "site=1"), *more)
    found = PROBE.gather(move, around(zones=dict.fromkeys(stages, zone)))
    assert isinstance(found, SpfVerdicts)
    return found


def judged(move: Spec, record: str, *more: Resource, stage: Stage = Stage.OVERLAP) -> Answer:
    known = facts(stage, state(txt("v=spf1 -all")), Change(txt("v=spf1 -all"), txt(record)))
    return CHECK.judge(move, dataclasses.replace(known, outside=Outside((seen(move, record, *more, stages=(stage,)),))))


def results(move: Spec, record: str, *more: Resource) -> dict[str, tuple[str, str]]:
    return {it.address: (it.result, it.why) for it in seen(move, record, *more).found}


def test_without_a_resolver_in_the_spec_nobody_is_asked():
    assert PROBE.gather(spec(), around()) is None
    assert PROBE.gather(spec(probe={"smtp": "127.0.0.1"}), around()) is None
    assert isinstance(CHECK.judge(spec(), facts(Stage.OVERLAP, {})), Pass)


def test_the_planned_record_is_evaluated_and_not_the_one_that_stands(resolver: Unbound):
    record = "v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 ~all"
    found = seen(asking(resolver), record)
    assert found.records == {Stage.OVERLAP: record}
    assert found.found == (
        SpfVerdict(Stage.OVERLAP, "new", "198.51.100.1", "pass"),
        SpfVerdict(Stage.OVERLAP, "old", "192.0.2.1", "pass"),
    )
    assert judged(asking(resolver), record) == Pass(f"{record}: mail of 2 addresses passes")


def test_each_stage_on_the_way_is_asked_for_the_servers_that_still_send_then(resolver: Unbound):
    stages = (Stage.PREPARE, Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN)
    found = seen(asking(resolver), "v=spf1 ip4:198.51.100.1 -all", stages=stages)
    assert [(it.stage, it.side, it.result) for it in found.found] == [
        (Stage.OVERLAP, "new", "pass"),
        (Stage.OVERLAP, "old", "fail"),
        (Stage.CUTOVER, "new", "pass"),
        (Stage.CUTOVER, "old", "fail"),
        (Stage.HARDEN, "new", "pass"),
    ]


def test_what_includes_cost_is_counted_over_the_network(resolver: Unbound):
    record = "v=spf1 include:deep.outside.test ip4:192.0.2.1 ip4:198.51.100.1 ~all"
    answer = judged(asking(resolver), record)
    assert isinstance(answer, Fail)
    assert answer.why == (
        f"by {record} receivers would not take the servers for the domain's: permerror for 198.51.100.1 (new) and "
        "192.0.2.1 (old), because too many DNS lookups"
    )


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("v=spf1 include:broken.outside.test ip4:198.51.100.1 -all", "Unknown mechanism found: ipv4:203.0.113.1"),
        ("v=spf1 include:gone.outside.test ip4:198.51.100.1 -all", "No valid SPF record for included domain"),
        ("v=spf1 include:empty.outside.test ip4:198.51.100.1 -all", "more than 2 of its look-ups find nothing"),
    ],
)
def test_an_include_that_is_broken_breaks_the_record(resolver: Unbound, record: str, why: str):
    result, said = results(asking(resolver), record)["198.51.100.1"]
    assert result == "permerror"
    assert said.startswith(why)


def test_terms_of_the_zone_are_looked_up_in_the_zone_as_it_will_be(resolver: Unbound):
    move = asking(resolver, new={"senders": ["ip4:198.51.100.8"]}, old={"senders": ["ip4:192.0.2.77"]})
    planned = (mx("10 mail.example.org."), address("mail.example.org", "198.51.100.8"))
    assert results(move, "v=spf1 mx -all", *planned)["198.51.100.8"] == ("pass", "")
    assert results(move, "v=spf1 a:mail.example.org -all", *planned)["198.51.100.8"] == ("pass", "")
    assert results(move, "v=spf1 mx -all", mx("10 mail.example.org."))["192.0.2.77"] == ("pass", "")  # not shown by it


def test_an_address_inside_of_an_include_and_of_ipv6_passes(resolver: Unbound):
    move = asking(resolver, new={"senders": ["ip4:203.0.113.9", "ip6:2001:db8::25"]}, old={"senders": []})
    found = results(move, "v=spf1 include:alias.outside.test ip6:2001:db8::/32 -all")
    assert found == {"203.0.113.9": ("pass", ""), "2001:db8::25": ("pass", "")}


def test_a_term_before_it_that_disowns_the_server_is_seen(resolver: Unbound):
    record = "v=spf1 -ip4:198.51.100.0/24 ip4:192.0.2.1 ip4:198.51.100.1 ~all"
    answer = judged(asking(resolver), record, stage=Stage.CUTOVER)
    assert isinstance(answer, Fail)
    assert answer.why.endswith("domain's: fail for 198.51.100.1 (new)")


def test_what_cannot_be_looked_up_is_told_and_holds_nothing_back(resolver: Unbound):
    record = "v=spf1 include:silent.test ip4:192.0.2.1 ip4:198.51.100.1 ~all"
    answer = judged(asking(resolver), record)
    assert isinstance(answer, Warn)
    assert answer.why == (
        f"not all of {record} could be looked up: the resolver {resolver.where} answers SERVFAIL for silent.test. TXT"
    )
    down = spec(probe={"resolver": f"127.0.0.1:{own_port()}", "timeout": 1})
    answer = judged(down, record)
    assert isinstance(answer, Warn)
    assert "does not answer within 1 seconds" in answer.why


def test_a_domain_without_a_record_has_none_to_try(resolver: Unbound):
    found = PROBE.gather(asking(resolver), around(zones={Stage.OVERLAP: state(mx(NEW_MX))}))
    assert found == SpfVerdicts({}, ())
