import pytest

from reconciler.model.rrset import Claim
from reconciler.model.stage import Stage
from reconciler.resources.dns import hosts_a, hosts_aaaa
from tests.support.specs import spec

HOST = "mail.example.org."
HOSTS = {"mail.example.org": {"old": ["192.0.2.1", "192.0.2.2"], "new": ["198.51.100.1", "2001:DB8::1"]}}
BEFORE = (Stage.PREPARE, Stage.OVERLAP)
AFTER = (Stage.CUTOVER, Stage.HARDEN, Stage.DECOMMISSION)


@pytest.mark.parametrize("stage", BEFORE)
def test_the_old_addresses_stand_until_the_cutover(stage: Stage) -> None:
    claims = list(hosts_a.desired(spec(hosts=HOSTS), stage))
    assert claims == [Claim(HOST, "192.0.2.1"), Claim(HOST, "192.0.2.2")]


@pytest.mark.parametrize("stage", AFTER)
def test_the_new_addresses_stand_from_then_on(stage: Stage) -> None:
    assert list(hosts_a.desired(spec(hosts=HOSTS), stage)) == [Claim(HOST, "198.51.100.1")]
    assert list(hosts_aaaa.desired(spec(hosts=HOSTS), stage)) == [Claim(HOST, "2001:db8::1")]


@pytest.mark.parametrize("stage", BEFORE)
def test_a_family_that_the_old_server_lacks_is_as_it_stood(stage: Stage) -> None:
    assert list(hosts_aaaa.desired(spec(hosts=HOSTS), stage)) == [Claim(HOST, None)]


@pytest.mark.parametrize("stage", AFTER)
def test_a_family_that_the_new_server_lacks_is_gone(stage: Stage) -> None:
    only_six = {"mail.example.org": {"old": ["192.0.2.1"], "new": ["2001:db8::1"]}}
    assert list(hosts_a.desired(spec(hosts=only_six), stage)) == []


def test_both_types_move_and_every_address_there_is_ours() -> None:
    for kind, rdtype in ((hosts_a.KIND, "A"), (hosts_aaaa.KIND, "AAAA")):
        assert (kind.rdtype, kind.moves) == (rdtype, True)
        assert kind.owns("192.0.2.77")
