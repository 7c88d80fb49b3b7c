import pytest

from reconciler.model.address import Place
from reconciler.model.resource import Resource, State
from reconciler.model.rrset import RRset
from reconciler.products.mailinabox.resting import rests
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.mailbox import Mailbox

ANN = Mailbox(place=Place.OLD, name="ann@example.org")
INFO = Alias(place=Place.OLD, name="info@example.org", targets=frozenset({"ann@example.org"}))
ABUSE = Alias(place=Place.OLD, name="abuse@example.org", targets=frozenset({"administrator@box.example.net"}))
ALL = CatchAll(place=Place.OLD, name="example.org", targets=frozenset({"ann@example.org"}))
ELSEWHERE = (Mailbox(place=Place.OLD, name="ann@example.net"), Mailbox(place=Place.NEW, name="ann@example.org"))
OWN_NS = RRset.of("example.org", "NS", 86400, "ns1.box.example.net.", "ns2.box.example.net.")
OTHER_NS = RRset.of("example.org", "NS", 86400, "ns1.hosting.example.")
GOES = rests(Place.OLD, "example.org", "box.example.net")


def state(*resources: Resource) -> State:
    return {each.address: each for each in resources}


@pytest.mark.parametrize("left", [ANN, INFO, ALL])
def test_while_one_address_is_left_nothing_else_goes(left) -> None:
    assert GOES(state(ANN, INFO, ALL), state(left, ABUSE), keeps_zone=True) is None


def test_with_the_last_one_the_zone_goes_even_if_the_aliases_of_the_box_itself_still_stand() -> None:
    why = GOES(state(ANN, ABUSE, *ELSEWHERE), state(ABUSE, *ELSEWHERE), keeps_zone=True)
    assert why is not None
    assert "gives up the zone of example.org: its MX" in why


@pytest.mark.parametrize(("servers", "goes"), [(OWN_NS, True), (OTHER_NS, False)])
def test_a_zone_that_others_serve_stays_whoever_writes_it(servers, goes) -> None:
    assert (GOES(state(ANN, servers), state(servers), keeps_zone=False) is not None) is goes


def test_whether_it_is_this_box_that_serves_it_is_not_taken_for_granted() -> None:
    why = GOES(state(ANN), state(), keeps_zone=False)
    assert why is not None
    assert "which cannot be seen" in why


def test_where_no_address_was_nothing_can_go_with_it() -> None:
    assert GOES(state(ABUSE), state(), keeps_zone=True) is None
