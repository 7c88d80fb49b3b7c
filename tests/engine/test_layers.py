from reconciler.engine.layers import advance, layers, reached
from reconciler.model.address import Address, Place
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.resources.server.mailbox import Mailbox

PREPARE, OVERLAP, CUTOVER, HARDEN, DECOMMISSION = Stage
OLD_HIGH = RRset.of("example.org", "MX", 86400, "10 mail.old.example.")
OLD_LOW = RRset.of("example.org", "MX", 300, "10 mail.old.example.")
NEW_LOW = RRset.of("example.org", "MX", 300, "10 mail.new.example.")
NEW_HIGH = RRset.of("example.org", "MX", 86400, "10 mail.new.example.")
MX = OLD_HIGH.address
ANN = Mailbox(place=Place.NEW, name="ann@example.org")
RULE = Mailbox(place=Place.NEW, name="rule@example.org")  # stands for anything that exists between two stages
VALUES: dict[Address, tuple[Resource | None, ...]] = {
    MX: (OLD_HIGH, OLD_LOW, NEW_LOW, NEW_HIGH, NEW_HIGH),
    ANN.address: (ANN,) * 5,
    RULE.address: (None, RULE, RULE, None, None),
}


def state(*resources: Resource) -> dict[Address, Resource]:
    return {resource.address: resource for resource in resources}


def way(observed: dict[Address, Resource], target: Stage) -> list[tuple[str, list[tuple[object, object]]]]:
    return [
        (layer.stage.label, [(c.before, c.after) for c in layer.changes]) for layer in layers(VALUES, observed, target)
    ]


def test_the_zone_tells_which_stage_is_reached() -> None:
    assert reached(VALUES, state(OLD_HIGH)) is PREPARE
    assert reached(VALUES, state(OLD_LOW)) is OVERLAP
    assert reached(VALUES, state(NEW_LOW)) is CUTOVER
    assert reached(VALUES, state(NEW_HIGH)) is HARDEN


def test_a_plan_from_the_start_passes_every_stage() -> None:
    assert way(state(OLD_HIGH), CUTOVER) == [
        ("prepare", [(None, ANN)]),
        ("overlap", [(OLD_HIGH, OLD_LOW), (None, RULE)]),
        ("cutover", [(OLD_LOW, NEW_LOW)]),
    ]


def test_what_exists_only_in_between_is_made_and_taken_away_again() -> None:
    steps = dict(way(state(OLD_HIGH, ANN), HARDEN))
    assert (None, RULE) in steps["overlap"]
    assert (RULE, None) in steps["harden"]


def test_going_back_passes_the_stages_in_reverse() -> None:
    assert way(state(NEW_HIGH, ANN), PREPARE) == [
        ("cutover", [(NEW_HIGH, NEW_LOW), (None, RULE)]),
        ("overlap", [(NEW_LOW, OLD_LOW)]),
        ("prepare", [(OLD_LOW, OLD_HIGH), (RULE, None)]),
    ]


def test_where_the_world_is_as_desired_there_is_nothing_to_do() -> None:
    assert layers(VALUES, state(NEW_LOW, ANN, RULE), CUTOVER) == ()


def test_what_is_missing_is_made_at_the_stage_that_is_reached() -> None:
    assert way(state(NEW_LOW, RULE), HARDEN)[0] == ("cutover", [(None, ANN)])


def test_what_drifted_is_first_put_where_the_rest_of_the_world_is() -> None:
    odd = RRset.of("example.org", "MX", 77, "10 mail.odd.example.")
    values = {
        **VALUES,
        Address(Place.DNS, "rrset", "x.example.org. A"): (None, *[RRset.of("x.example.org", "A", 1, "192.0.2.1")] * 4),
    }
    found = layers(values, state(odd, ANN, RULE, RRset.of("x.example.org", "A", 1, "192.0.2.1")), CUTOVER)
    assert [(layer.stage, [(c.before, c.after) for c in layer.changes]) for layer in found] == [
        (OVERLAP, [(odd, OLD_LOW)]),
        (CUTOVER, [(OLD_LOW, NEW_LOW)]),
    ]


def test_the_state_advances_by_the_changes_of_a_layer() -> None:
    (first, *_) = layers(VALUES, state(OLD_HIGH), PREPARE)
    assert advance(state(OLD_HIGH), first.changes) == state(OLD_HIGH, ANN)
