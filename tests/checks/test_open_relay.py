import dataclasses

from reconciler.checks.open_relay import CHECK
from reconciler.model.outside import Outside, Reception, Receptions, Reply
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import gated
from tests.support.facts import facts
from tests.support.specs import spec


def judge(*replies: Reply | None):
    seen = (Reception(f"mx{n}.new.example:25", {}, None, reply, "p@old.example") for n, reply in enumerate(replies))
    return CHECK.judge(
        spec(), dataclasses.replace(facts(Stage.CUTOVER, {}), outside=Outside((Receptions(tuple(seen)),)))
    )


def test_it_only_tells():
    assert gated(CHECK) == set()


def test_a_server_that_takes_mail_of_strangers_to_strangers_is_named_with_its_answer():
    answer = judge(Reply(554, "Relay access denied"), Reply(250, "Ok"))
    assert isinstance(answer, Warn)
    assert answer.why == (
        "mail from anybody to p@old.example, which is not of this domain, is taken by mx1.new.example:25 (250 Ok): an "
        "open relay sends spam in your name"
    )


def test_refusing_now_or_for_good_is_refusing():
    assert judge(Reply(554, "no"), Reply(454, "Relay access denied")) == Pass(
        "mx0.new.example:25 and mx1.new.example:25 refuse mail of strangers to strangers"
    )


def test_where_nobody_was_asked_nothing_is_said():
    assert isinstance(judge(None), Pass)
    assert isinstance(CHECK.judge(spec(), facts(Stage.CUTOVER, {})), Pass)
