from reconciler.engine.rollback import plan_rollback
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.resources.server.alias import Alias
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
    return plan_rollback(move.spec, move.journal.to_roll_back(), move.rules, move.world())


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
