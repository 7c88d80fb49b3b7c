import dataclasses

from reconciler.checks.spf_passes import CHECK
from reconciler.model.change import Change
from reconciler.model.outside import Outside, SpfVerdict, SpfVerdicts
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import BOTH_SPF, CHANGES, TURNS, gated
from tests.support.facts import facts
from tests.support.specs import spec

NEW = SpfVerdict(Stage.OVERLAP, "new", "198.51.100.1", "pass")
OLD = SpfVerdict(Stage.OVERLAP, "old", "192.0.2.1", "pass")
WIDENED = CHANGES["SPF widened"]


def judge(*found: SpfVerdict, stage: Stage = Stage.OVERLAP, changes: tuple[Change, ...] = (WIDENED,), back=False):
    outside = Outside((SpfVerdicts({Stage.OVERLAP: BOTH_SPF}, found),))
    known = facts(stage, {}, *changes)
    return CHECK.judge(spec(), dataclasses.replace(known, outside=outside, back=back))


def test_it_holds_back_the_record_and_the_turns_and_nothing_else():
    assert gated(CHECK) == {"SPF widened", *TURNS}


def test_both_servers_pass():
    assert judge(NEW, OLD) == Pass(f"{BOTH_SPF}: mail of 2 addresses passes")


def test_only_the_record_of_the_stage_counts():
    assert isinstance(judge(dataclasses.replace(NEW, result="fail"), stage=Stage.CUTOVER), Pass)


def test_a_server_that_does_not_pass_fails_where_the_stage_acts_on_it_and_is_told_elsewhere():
    soft = dataclasses.replace(NEW, result="softfail")
    assert isinstance(judge(soft), Fail)
    assert isinstance(judge(soft, changes=(CHANGES["MX turned"],)), Fail)
    assert isinstance(judge(soft, changes=(CHANGES["MX TTL lowered"],)), Warn)
    assert isinstance(judge(soft, back=True), Warn)


def test_what_fares_alike_is_one_clause_with_its_reason():
    both = (dataclasses.replace(one, result="permerror", why="Too many DNS lookups") for one in (NEW, OLD))
    answer = judge(*both)
    assert isinstance(answer, Fail)
    assert answer.why == (
        f"by {BOTH_SPF} receivers would not take the servers for the domain's: permerror for 198.51.100.1 (new) and "
        "192.0.2.1 (old), because too many DNS lookups"
    )


def test_what_is_known_to_be_wrong_weighs_more_than_what_is_unknown():
    unknown = dataclasses.replace(OLD, result="temperror", why="the resolver is down")
    assert isinstance(judge(dataclasses.replace(NEW, result="fail"), unknown), Fail)
    answer = judge(NEW, unknown)
    assert isinstance(answer, Warn)
    assert answer.why == f"not all of {BOTH_SPF} could be looked up: the resolver is down"
