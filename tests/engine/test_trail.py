from reconciler.engine.trail import Trail, Written
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.stage import Stage
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from tests.support.changes import forward
from tests.support.move import KINDS

RULE = "# rule:[Mine]\nif true\n{\n\tkeep;\n}\n"
SCRIPT = forward("ann@old.example")
INACTIVE = SCRIPT.model_copy(update={"active": False})  # written, and the power failed before it was linked
WITH_THEIRS = SCRIPT.model_copy(update={"content": SCRIPT.content + RULE})
THEIRS = SCRIPT.model_copy(update={"content": RULE})
ALIAS = Alias(place=Place.NEW, name="info@example.org", targets=frozenset({"ann@example.org"}))


def trail(before, after, standing, *, sure=True):
    return Trail([Written(Stage.OVERLAP, Change(before, after), sure=sure)], standing)


def ways(found: Trail):
    return [change.after for _, change in found.steps(KINDS)]


def test_a_part_of_what_we_wrote_is_ours_where_the_write_was_cut_short() -> None:
    found = trail(None, SCRIPT, INACTIVE, sure=False)
    assert found.is_ours(KINDS)
    assert ways(found) == [None]


def test_a_removal_that_was_cut_short_is_ours_too() -> None:
    found = trail(SCRIPT, None, INACTIVE, sure=False)
    assert found.is_ours(KINDS)
    assert ways(found) == [SCRIPT]


def test_what_was_switched_off_after_a_whole_write_is_somebody_elses_doing() -> None:
    assert not trail(None, SCRIPT, INACTIVE).is_ours(KINDS)


def test_what_somebody_put_in_the_place_of_a_write_that_was_cut_short_is_theirs() -> None:
    other = ALIAS.model_copy(update={"targets": frozenset({"bob@example.org"})})
    assert not trail(None, ALIAS, other, sure=False).is_ours(KINDS)


def test_what_somebody_had_put_in_its_place_before_a_write_that_was_cut_short_is_theirs() -> None:
    ours = Mailbox(place=Place.NEW, name="bob@example.org", display_name="Bob")
    theirs = ours.model_copy(update={"display_name": "Theirs"})
    made = Written(Stage.PREPARE, Change(None, ours))
    cut = Written(Stage.PREPARE, Change(theirs, ours), sure=False)
    assert not Trail([made, cut], theirs).is_ours(KINDS)
    assert not Trail([made, cut, cut], theirs).is_ours(KINDS)
    assert Trail([made, cut], ours).is_ours(KINDS)


def test_what_stood_before_a_write_that_was_cut_short_is_ours_where_we_had_left_it() -> None:
    other = ALIAS.model_copy(update={"targets": frozenset({"bob@example.org"})})
    made = Written(Stage.PREPARE, Change(None, ALIAS))
    cut = Written(Stage.OVERLAP, Change(ALIAS, other), sure=False)
    assert Trail([made, cut, cut], ALIAS).is_ours(KINDS)


def test_a_part_that_two_writes_cut_short_have_left_is_ours() -> None:
    first = Written(Stage.OVERLAP, Change(None, SCRIPT), sure=False)
    again = Written(Stage.OVERLAP, Change(INACTIVE, SCRIPT), sure=False)
    found = Trail([first, again], INACTIVE)
    assert found.is_ours(KINDS)
    assert ways(found)[-1] is None


def test_a_rule_that_the_user_has_added_since_outlives_the_script_that_we_made() -> None:
    found = trail(None, SCRIPT, WITH_THEIRS)
    assert found.is_ours(KINDS)
    (left,) = ways(found)
    assert left.other_rules == 1
    assert left.rule is None
    again = Trail([*found.writes, Written(Stage.PREPARE, Change(WITH_THEIRS, left))], left)
    assert again.is_back(KINDS)


def test_a_rule_that_the_user_has_added_since_stays_beside_those_from_before() -> None:
    before = THEIRS.model_copy(update={"content": RULE.replace("Mine", "From before")})
    after = before.model_copy(update={"content": SCRIPT.content + before.content})
    (left,) = ways(trail(before, after, after.model_copy(update={"content": after.content + RULE})))
    assert left.other_rules == 2
    assert left.rule is None


def test_what_nobody_touched_since_goes_back_octet_for_octet() -> None:
    assert ways(trail(THEIRS, WITH_THEIRS, WITH_THEIRS)) == [THEIRS]


def test_a_script_that_can_no_longer_be_read_is_left_to_its_user() -> None:
    broken = SCRIPT.model_copy(update={"content": "if {"})
    assert trail(None, SCRIPT, broken).is_back(KINDS)


def test_a_display_name_is_taken_back() -> None:
    bare = Mailbox(place=Place.NEW, name="ann@example.org")
    named = bare.model_copy(update={"display_name": "Ann"})
    found = trail(bare, named, named)
    assert not found.is_back(KINDS)
    assert ways(found) == [bare]
