import dataclasses
from datetime import datetime, timedelta

from reconciler.checks.certificates_fit import CHECK
from reconciler.model.outside import Outside, ShownCertificate, ShownCertificates
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from tests.support.changes import TURNS, gated
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec

IMAPS = "mail.example.org:993"


def shown(days: float, server: str = IMAPS) -> ShownCertificate:
    return ShownCertificate(server, MONDAY_MORNING + timedelta(days=days))


def judge(*services: ShownCertificate, back: bool = False, now: datetime = MONDAY_MORNING):
    outside = Outside((ShownCertificates(services),))
    return CHECK.judge(spec(), dataclasses.replace(facts(Stage.CUTOVER, {}, now=now), outside=outside, back=back))


def test_it_holds_back_the_turns_and_nothing_else():
    assert gated(CHECK) == TURNS


def test_without_the_fact_it_says_that_nobody_was_asked():
    assert CHECK.judge(spec(), facts(Stage.CUTOVER, {})) == Pass("not asked: probe.tls in the spec names no service")


def test_fourteen_days_are_enough_and_less_is_told():
    assert isinstance(judge(shown(14)), Pass)
    answer = judge(shown(60), shown(13.9, "mail.example.org:587"))
    assert isinstance(answer, Warn)
    assert answer.why == "the certificate of mail.example.org:587 ends 2026-03-16 05:36 UTC"


def test_one_that_nobody_trusts_weighs_more_than_one_that_ends_soon():
    refused = ShownCertificate(IMAPS, trouble="shows a certificate that mail programs refuse: self-signed certificate")
    answer = judge(shown(1, "mail.example.org:587"), refused)
    assert isinstance(answer, Fail)
    assert answer.why == f"{IMAPS} shows a certificate that mail programs refuse: self-signed certificate"


def test_one_that_has_ended_fails_even_where_it_is_pinned():
    answer = judge(dataclasses.replace(shown(0), pinned=True))
    assert isinstance(answer, Fail)
    assert answer.why == f"the certificate of {IMAPS} has ended 2026-03-02 08:00 UTC"


def test_going_back_asks_for_none():
    assert isinstance(judge(shown(-1), back=True), Pass)
