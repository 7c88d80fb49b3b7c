import pytest

from reconciler.checks.forwarding_loop import CHECK
from reconciler.model.address import Place
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Warn
from reconciler.resources.server.domain import MailDomain
from tests.support.changes import ANN, TURNS, alias, catch_all, forward, gated, mailbox
from tests.support.facts import facts
from tests.support.specs import spec, state

OLD, NEW = Place.OLD, Place.NEW
OLD_DOMAIN = MailDomain(place=OLD, name="example.org")
BOTH = (mailbox(OLD), mailbox(NEW))


def judge(*world, forward_to=None, moved=False, stage=Stage.OVERLAP, **more):
    ann = {"address": ANN, "moved": moved} | ({"forward_to": forward_to} if forward_to else {})
    return CHECK.judge(spec(mailboxes=[ann], **more), facts(stage, state(*world)))


def fails(answer):
    assert isinstance(answer, Fail)
    return answer.why


def test_a_forward_to_a_name_of_the_old_server_is_fine() -> None:
    world = (*BOTH, OLD_DOMAIN, alias(OLD, "ann@old.example", ANN))
    assert judge(*world, forward_to="ann@old.example") == Pass("2 aliases, catch-alls and forwards, no circle")


def test_an_old_alias_that_sends_it_back_to_the_new_server_closes_a_circle() -> None:
    world = (*BOTH, OLD_DOMAIN, alias(OLD, "ann@old.example", ANN), alias(OLD, ANN, ANN, "ann@mx.new.example"))
    assert fails(judge(*world, forward_to="ann@old.example")) == (
        "mail would go in a circle: ann@example.org on the new server (forward) -> ann@old.example on the old server "
        "(alias) -> ann@example.org on the old server (alias) -> ann@example.org on the new server"
    )


def test_an_old_server_that_has_let_go_of_the_domain_sends_it_to_the_mx() -> None:
    world = (mailbox(NEW), alias(OLD, "ann@old.example", ANN))
    assert "ann@old.example on the old server (alias) -> ann@example.org on the new server" in fails(
        judge(*world, forward_to="ann@old.example")
    )


def test_a_forward_to_the_own_address_is_a_circle() -> None:
    assert "ann@example.org on the new server (forward) -> ann@example.org on the new server" in fails(
        judge(*BOTH, forward_to=ANN)
    )


def test_a_forward_within_the_domain_never_leaves_the_new_server() -> None:
    world = (*BOTH, mailbox(NEW, "bob@example.org"))
    assert fails(judge(*world, forward_to="bob@example.org")) == (
        "these forwards never leave the new server: ann@example.org to bob@example.org"
    )


def test_a_forward_by_the_old_servers_own_name_reaches_it() -> None:
    assert isinstance(judge(*BOTH, OLD_DOMAIN, forward_to="ann@mx.old.example"), Pass)


def test_aliases_in_a_circle_on_the_new_server_fail() -> None:
    world = (alias(NEW, "a@example.org", "b@example.org"), alias(NEW, "b@example.org", "a@example.org"))
    assert "a@example.org on the new server (alias) -> b@example.org on the new server (alias) -> a@example" in fails(
        judge(*world)
    )


def test_a_circle_on_the_old_server_alone_is_only_told() -> None:
    world = (*BOTH, alias(OLD, "a@example.org", "b@example.org"), alias(OLD, "b@example.org", "a@example.org"))
    answer = judge(*world)
    assert isinstance(answer, Warn)
    assert "a circle on the old server today" in answer.why


def test_an_alias_that_names_itself_delivers_to_its_mailbox() -> None:
    world = (mailbox(NEW), alias(NEW, ANN, ANN, "ann@elsewhere.example"))
    assert isinstance(judge(*world), Pass)


def test_a_mailbox_behind_such_an_alias_still_forwards() -> None:
    world = (mailbox(NEW), alias(NEW, ANN, ANN, "ann@elsewhere.example"), forward("ann@mx.new.example"))
    assert "ann@example.org on the new server (alias) -> ann@example.org" in fails(judge(*world))


def test_catch_alls_of_both_servers_can_close_a_circle() -> None:
    world = (catch_all(NEW, "all@mx.old.example"), catch_all(OLD, "all@mx.new.example"))
    assert fails(judge(*world)) == (
        "mail would go in a circle: *@example.org on the new server (catch-all) -> *@example.org on the old server "
        "(catch-all) -> *@example.org on the new server"
    )


def test_a_forward_that_stands_counts_as_one_that_is_to_come() -> None:
    assert "ann@example.org on the new server" in fails(judge(*BOTH, forward(ANN)))


@pytest.mark.parametrize("moved", [True, "2026-03-02"])
def test_a_user_who_has_moved_forwards_nothing(moved: object) -> None:
    assert isinstance(judge(*BOTH, forward_to=ANN, moved=moved), Pass)


def test_an_exchange_that_both_servers_share_says_nothing_of_where() -> None:
    same = {"mx": ["10 mail.example.org"]}
    assert isinstance(judge(*BOTH, OLD_DOMAIN, forward_to="ann@mail.example.org", old=same, new=same), Pass)


def test_a_chain_of_ten_thousand_aliases_is_walked() -> None:
    chain = [alias(NEW, f"u{n}@example.org", f"u{n + 1}@example.org") for n in range(10_000)]
    assert isinstance(judge(*chain), Pass)
    assert "u0@example.org" in fails(judge(*chain, alias(NEW, "u10000@example.org", "u0@example.org")))


def test_it_holds_back_what_sends_mail_on_and_what_brings_it() -> None:
    assert (
        gated(CHECK) == {"alias made", "catch-all made", "forward made", "forward ends in a script that stays"} | TURNS
    )
