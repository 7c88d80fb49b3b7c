import pytest

from reconciler.checks.cname_conflicts import CHECK
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from tests.support.changes import RECORDS, gated, mx
from tests.support.facts import facts
from tests.support.specs import spec, state

SPEC = spec(
    new={"mx": ["10 mail.example.org"]},
    dmarc={"p": "reject"},
    hosts={"www.example.org": {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}},
)


def cname(owner):
    return RRset.of(owner, "CNAME", 300, "elsewhere.example.")


def judge(*world):
    return CHECK.judge(SPEC, facts(Stage.OVERLAP, state(*world)))


@pytest.mark.parametrize(
    ("owner", "what"),
    [
        ("example.org", "an MX belongs there"),
        ("s2._domainkey.example.org", "the new server's DKIM key belongs there"),
        ("_dmarc.example.org", "the DMARC policy belongs there"),
        ("www.example.org", "an address belongs there"),
    ],
)
def test_a_cname_where_our_records_go_fails(owner: str, what: str) -> None:
    answer = judge(mx(), cname(owner))
    assert isinstance(answer, Fail)
    assert answer.why == f"{owner}. is a CNAME of elsewhere.example., and {what}"


def test_a_new_exchange_that_is_a_cname_fails() -> None:
    answer = judge(mx(), cname("mail.example.org"))
    assert isinstance(answer, Fail)
    assert (
        "the new exchange mail.example.org. is a CNAME of elsewhere.example., which an MX must not name" in answer.why
    )


def test_other_cnames_are_nobodys_business() -> None:
    assert judge(mx(), cname("shop.example.org"), cname("s1._domainkey.example.org")) == Pass("no CNAME in the way")


def test_it_holds_back_every_record() -> None:
    assert gated(CHECK) == RECORDS
