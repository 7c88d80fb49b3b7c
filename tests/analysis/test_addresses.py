from reconciler.analysis.addresses import answered, catch_all, is_answered, missing_on_new
from reconciler.analysis.effects import removes_from_new, sends_on
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.mailbox import Mailbox

INFO = "info@example.org"


def alias(*targets: str, place: Place = Place.NEW) -> Alias:
    return Alias(place=place, name=INFO, targets=frozenset(targets), senders=frozenset({"ann@example.org"}))


def state(*resources: Alias | CatchAll | Mailbox) -> dict[Address, Alias | CatchAll | Mailbox]:
    return {resource.address: resource for resource in resources}


def test_an_alias_without_targets_takes_no_mail():
    assert is_answered(state(alias("x@y.example")), Place.NEW, INFO)
    assert not is_answered(state(alias()), Place.NEW, INFO)
    assert is_answered(state(alias(), Mailbox(place=Place.NEW, name=INFO)), Place.NEW, INFO)
    assert list(answered(state(alias()), Place.NEW, "example.org")) == []
    assert missing_on_new(state(alias(place=Place.OLD)), {}, "example.org") == []
    assert missing_on_new(state(alias("x@y.example", place=Place.OLD)), state(alias()), "example.org") == [INFO]


def test_a_catch_all_without_targets_takes_no_mail():
    sends = CatchAll(place=Place.NEW, name="example.org", targets=frozenset(), senders=frozenset({"ann@example.org"}))
    assert catch_all(state(sends), Place.NEW, "example.org") is None


def test_the_last_target_that_goes_stops_the_mail():
    takes, only_sends = alias("x@y.example"), alias()
    assert removes_from_new(Change(takes, only_sends))
    assert removes_from_new(Change(takes, None))
    assert not removes_from_new(Change(only_sends, None))
    assert not removes_from_new(Change(only_sends, takes))
    assert sends_on(Change(only_sends, takes))
    assert not sends_on(Change(takes, only_sends))
