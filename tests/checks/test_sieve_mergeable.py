"""A script that cannot take our rule holds the cutover back, with the rule to put in by hand."""

import pytest

from reconciler.checks.sieve_mergeable import CHECK, judge
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Warn
from reconciler.resources.server.sieve import SieveScript
from tests.support.facts import facts
from tests.support.specs import spec, state

UNKNOWN = 'require ["vnd.dovecot.pipe"];\npipe "x";\n'
RULE = '# rule:[Forward to old.example.net and retain]\nif true\n{\n\tredirect :copy "ann@old.example.net";\n}\n'
MX = Change(
    RRset.of("example.org.", "MX", 300, "10 mx.old.example."), RRset.of("example.org.", "MX", 300, "10 mx.new.example.")
)


def script(content: str, *, active: bool = True) -> SieveScript:
    return SieveScript(place=Place.NEW, name="ann@example.org", script="main", content=content, active=active)


def answer(stage: Stage, *scripts: SieveScript, moved: bool = False) -> Answer:
    ann = {"address": "ann@example.org", "forward_to": "ann@old.example.net", "moved": moved}
    world = state(*scripts)
    return judge(spec(mailboxes=[ann]), facts(stage, world, *([MX] if stage is Stage.CUTOVER else [])))


@pytest.mark.parametrize("stage", [Stage.OVERLAP, Stage.CUTOVER, Stage.HARDEN])
def test_scripts_that_can_be_merged_pass(stage: Stage) -> None:
    assert isinstance(answer(stage), Pass)
    assert isinstance(answer(stage, script("keep;\n")), Pass)


def test_a_script_with_an_extension_that_we_cannot_parse_holds_back_the_mx() -> None:
    given = answer(Stage.CUTOVER, script(UNKNOWN))
    assert isinstance(given, Fail)
    assert "ann@example.org" in given.why
    assert "'pipe'" in given.why
    assert "# rule:[Forward to old.example.net and retain]" in given.todo
    assert 'if true { redirect :copy "ann@old.example.net"; }' in given.todo
    assert CHECK.gates(MX)


def test_before_the_cutover_it_is_told_and_holds_nothing_back() -> None:
    given = answer(Stage.OVERLAP, script(UNKNOWN))
    assert isinstance(given, Warn)
    assert not CHECK.gates(Change(None, script(RULE)))


def test_it_passes_once_a_person_has_put_the_rule_in() -> None:
    assert isinstance(answer(Stage.CUTOVER, script(RULE + UNKNOWN)), Pass)


def test_a_rule_to_another_place_in_such_a_script_does_not_count() -> None:
    assert isinstance(answer(Stage.CUTOVER, script(RULE.replace("ann@", "bob@") + UNKNOWN)), Fail)


def test_a_rule_that_the_user_switched_off_is_the_users_choice() -> None:
    assert isinstance(answer(Stage.CUTOVER, script(RULE.replace("if true", "if false # true") + UNKNOWN)), Pass)


def test_an_inactive_script_with_rules_of_the_user_holds_back_the_mx() -> None:
    given = answer(Stage.CUTOVER, script("keep;\n", active=False))
    assert isinstance(given, Fail)
    assert "not active" in given.why


@pytest.mark.parametrize("stage", [Stage.CUTOVER, Stage.HARDEN])
def test_a_rule_that_cannot_be_taken_out_any_more_is_a_warning(stage: Stage) -> None:
    given = answer(stage, script(RULE + UNKNOWN), moved=True)
    assert isinstance(given, Warn)
    assert "go on sending copies" in given.why
    assert given.todo == "take the rule out of the script main of ann@example.org"
