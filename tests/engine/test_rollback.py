from reconciler.engine.trail import Written
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from tests.engine.test_apply import MX, SPEC
from tests.support.move import NO_CHECKS, Move

TEXT = RRset.of("example.org", "TXT", 3600, "v=spf1 ip4:192.0.2.10 -all", "site-verification=1")
INFO = "info@example.org"


def at_overlap() -> Move:
    spec = SPEC.model_copy(
        update={
            "aliases": {INFO: ("ann@example.org",)},
            "new": SPEC.new.model_copy(update={"senders": ("ip4:198.51.100.7",)}),
            "old": SPEC.old.model_copy(update={"senders": ("ip4:192.0.2.10",)}),
        }
    )
    move = Move(spec, MX, TEXT, checks=NO_CHECKS)
    move.apply(Stage.OVERLAP)
    return move


def rollback(move: Move):
    return move.plan_back()


def edit(move: Move, address: Address, after) -> None:
    store = move.stores[address.place, address.kind]
    before = {r.address: r for r in store.read()}[address]
    store.write([Change(before, after)])


def test_it_goes_back_stage_by_stage_the_zone_before_the_accounts() -> None:
    steps = rollback(at_overlap()).steps
    places = [step.change.address.place for step in steps]
    assert places == sorted(places, key=[Place.DNS, Place.NEW].index)
    assert [s.change.after for s in steps if s.change.address == MX.address] == [MX]


def test_a_string_that_somebody_added_since_stays() -> None:
    move = at_overlap()
    now = move.state()[TEXT.address]
    assert isinstance(now, RRset)
    edit(move, TEXT.address, now.model_copy(update={"rdata": now.rdata | {"MS=ms1"}}))
    step = next(s for s in rollback(move).steps if s.change.address == TEXT.address)
    assert step.change.after == TEXT.model_copy(update={"rdata": TEXT.rdata | {"MS=ms1"}})


def test_what_somebody_else_changed_since_is_blocked_and_left_alone() -> None:
    move = at_overlap()
    theirs = Alias(place=Place.NEW, name=INFO, targets=frozenset({"bob@example.org"}))
    edit(move, theirs.address, theirs)
    step = next(s for s in rollback(move).steps if s.change.address == theirs.address)
    assert step.verdict.status is Status.BLOCKED
    assert "somebody has changed it" in step.verdict.why


def test_what_is_back_already_needs_no_step() -> None:
    move = at_overlap()
    edit(move, MX.address, MX)
    assert MX.address not in {step.change.address for step in rollback(move).steps}


def test_the_account_of_a_script_that_somebody_changed_stays_and_its_domain_too() -> None:
    move = at_overlap()
    address = next(a for a in move.state() if a.kind == "alias")
    theirs = Alias(place=Place.NEW, name=INFO, targets=frozenset({"ann@example.org", "x@elsewhere.example"}))
    edit(move, address, theirs)
    verdicts = {str(s.change.address): s.verdict.status for s in rollback(move).steps}
    assert verdicts["new/mailbox/ann@example.org"] is Status.BLOCKED
    assert verdicts["new/domain/example.org"] is Status.BLOCKED
    assert verdicts["new/mailbox/bob@example.org"] is Status.RUN


def forged(*changes: Change) -> Move:
    """A move whose journal has rows that no run has written."""
    move = Move(SPEC, MX, checks=NO_CHECKS)
    rows = [Written(Stage.PREPARE, change) for change in changes]
    move.journal.to_roll_back = lambda: rows  # type: ignore[method-assign]
    return move


def test_a_row_of_the_journal_cannot_bring_in_a_value_of_what_the_spec_does_not_name() -> None:
    thief = Alias(place=Place.NEW, name="ceo@example.org", targets=frozenset({"thief@evil.example"}))
    (step,) = rollback(forged(Change(thief, None))).steps
    assert step.verdict.status is Status.BLOCKED
    assert "the spec does not name it any more" in step.verdict.why


def test_a_row_of_the_journal_cannot_bring_in_the_reference_of_a_secret() -> None:
    command = Mailbox(place=Place.NEW, name="ann@example.org", password="command: sh -c 'id >pwned'")
    (step,) = rollback(forged(Change(command, None))).steps
    assert step.change.after == command.as_read()
    assert step.change.after.password is None


def test_a_plan_that_goes_back_turns_an_mx_that_somebody_else_has_turned_before_accounts_go() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.apply(Stage.PREPARE)
    edit(move, MX.address, MX.model_copy(update={"rdata": frozenset({"10 mail.new.example."})}))
    first, *others = rollback(move).steps
    assert first.change.after == MX
    assert {step.change.address.place for step in others} == {Place.NEW}
    move.carry_out(rollback(move))
    assert rollback(move).steps == ()
    assert move.state() == {MX.address: MX}


def test_an_mx_that_a_later_run_has_turned_is_not_turned_with_an_earlier_one() -> None:
    move = Move(SPEC, MX, checks=NO_CHECKS)
    move.apply(Stage.PREPARE)
    prepared = move.journal.to_roll_back()
    move.apply(Stage.CUTOVER)
    move.journal.to_roll_back = lambda: prepared  # type: ignore[method-assign]
    assert {step.change.address.place for step in rollback(move).steps} == {Place.NEW}
