from reconciler.checks.dkim_records import CHECK
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import KEY, gated, txt
from tests.support.facts import facts
from tests.support.specs import spec, state


def judge(*world, selectors=("s1", "s3")):
    return CHECK.judge(spec(old={"dkim": list(selectors)}), facts(Stage.PREPARE, state(*world)))


def test_a_text_or_the_providers_cname_will_do() -> None:
    cname = RRset.of("s3._domainkey.example.org", "CNAME", 300, "s3.dkim.provider.example.")
    assert judge(txt(KEY, owner="s1._domainkey.example.org"), cname) == Pass(
        "records of the old server's selectors stand: s1 and s3"
    )


def test_a_selector_without_a_record_is_told() -> None:
    answer = judge(txt(KEY, owner="s1._domainkey.example.org"))
    assert isinstance(answer, Warn)
    assert "the zone has no record for s3._domainkey.example.org.:" in answer.why


def test_no_selector_no_warning() -> None:
    assert isinstance(judge(selectors=()), Pass)


def test_it_holds_back_nothing() -> None:
    assert gated(CHECK) == set()
