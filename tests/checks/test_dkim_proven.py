import dataclasses

from reconciler.checks.dkim_proven import CHECK
from reconciler.model.outside import Outside, Signature, SignedTest
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait, Warn
from tests.support.changes import TURNS, gated
from tests.support.clock import MONDAY_MORNING
from tests.support.facts import facts
from tests.support.specs import spec

ME = "ann@example.org"
GOOD = Signature("example.org", "s2")
SEEN = SignedTest(ME, MONDAY_MORNING, (GOOD,), "example.org")
_HOST = "mail.new.example"
ASKING = spec(
    probe={"signed": {"mailbox": ME, "password": "env:X", "submission": f"{_HOST}:587", "imap": f"{_HOST}:993"}}
)


def judge(seen: SignedTest | None, *, back: bool = False, move=ASKING):
    known = facts(Stage.CUTOVER, {})
    return CHECK.judge(move, dataclasses.replace(known, outside=Outside((seen,) if seen else ()), back=back))


def test_it_holds_back_the_turns_and_nothing_else():
    assert gated(CHECK) == TURNS


def test_without_a_message_it_says_why():
    assert judge(None, move=spec()) == Pass("not asked: probe.signed in the spec describes no message to sign")
    assert isinstance(judge(None), Pass)
    assert isinstance(judge(SignedTest(ME, trouble="…"), back=True), Pass)


def test_a_signature_by_the_declared_key_passes():
    assert judge(SEEN) == Pass(f"{ME} sent itself a message 2026-03-02 08:00 UTC, rightly signed with s2")


def test_further_signatures_do_no_harm():
    more = (Signature("provider.example", "p1", "its key is not known"), GOOD)
    assert isinstance(judge(dataclasses.replace(SEEN, signatures=more)), Pass)


def test_the_same_selector_of_another_domain_proves_nothing():
    answer = judge(dataclasses.replace(SEEN, signatures=(Signature("provider.example", "s2"),)))
    assert isinstance(answer, Fail)
    assert "s2 of provider.example, which is no key of new.dkim" in answer.why


def test_what_has_to_be_made_first_is_waited_for():
    answer = judge(SignedTest(ME, early="the new server gets the key s2"))
    assert answer == Wait(None, "first the new server gets the key s2; then it can sign a message")


def test_a_message_that_cannot_be_had_fails_with_its_reason():
    answer = judge(SignedTest(ME, trouble="mail.new.example:993 cannot be reached: connection refused"))
    assert isinstance(answer, Fail)
    assert answer.why == (
        "it is not known how the new server signs: mail.new.example:993 cannot be reached: connection refused"
    )


def test_an_envelope_sender_of_another_domain_is_told():
    answer = judge(dataclasses.replace(SEEN, envelope="bounces.provider.example"))
    assert isinstance(answer, Warn)
    assert "its envelope sender is in bounces.provider.example" in answer.why
