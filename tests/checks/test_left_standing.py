from reconciler.checks.left_standing import CHECK
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Pass, Warn
from tests.support.changes import KEY, NEW_SPF, OLD_SPF, gated, txt
from tests.support.facts import facts
from tests.support.specs import spec, state

OF = spec(
    old={"backend": "memory", "mx": ["10 mx.old.example"], "senders": ["ip4:192.0.2.1"]},
    new={"backend": "memory", "mx": ["10 mx.new.example"], "senders": ["ip4:198.51.100.1"], "dkim": ["s2"]},
)
RECORD = RRset.of("s2._domainkey.example.org", "TXT", 300, KEY)


def test_a_key_that_the_journal_does_not_know_of_is_told_to_stay() -> None:
    answer = CHECK.judge(OF, facts(Stage.PREPARE, state(RECORD, txt(OLD_SPF))))
    assert isinstance(answer, Warn)
    assert "s2._domainkey.example.org. TXT: the journal does not know who made it" in answer.why
    assert "take it out by hand" in answer.todo


def test_senders_in_an_spf_record_that_the_journal_does_not_know_of_are_told_to_stay() -> None:
    answer = CHECK.judge(OF, facts(Stage.PREPARE, state(txt(NEW_SPF))))
    assert isinstance(answer, Warn)
    assert "ip4:198.51.100.1 in SPF of example.org. TXT" in answer.why


def test_what_the_journal_knows_of_goes_back_by_itself() -> None:
    known = {RECORD.address: None, txt().address: txt(OLD_SPF)}
    assert isinstance(CHECK.judge(OF, facts(Stage.PREPARE, state(RECORD, txt(NEW_SPF)), baseline=known)), Pass)


def test_a_zone_that_knows_nothing_of_the_new_server_is_silent() -> None:
    assert isinstance(CHECK.judge(OF, facts(Stage.PREPARE, state(txt(OLD_SPF)))), Pass)


def test_it_holds_nothing_back() -> None:
    assert gated(CHECK) == set()
