from dataclasses import replace

import pytest

from reconciler.engine.apply import apply
from reconciler.errors import Interrupted, NotYet, StalePlan, StepFailed, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.plan import Plan
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status, Verdict
from reconciler.resources.server.dkim_key import DkimKey as Key
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.servers import DkimKey
from reconciler.spec.spec import Spec
from tests.support.move import NO_CHECKS, Move

SPEC = Spec.model_validate(
    {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": ["10 mail.old.example"]},
        "new": {"backend": "memory", "mx": ["10 mail.new.example"]},
        "dns": {"backend": "memory"},
        "mailboxes": [{"address": f"{name}@example.org"} for name in ("ann", "bob", "cleo")],
    }
)
MX = RRset.of("example.org", "MX", 86400, "10 mail.old.example.")
SLY = MX.model_copy(update={"ttl": 77})
DOMAIN_AND_THREE = 4


@pytest.fixture
def move() -> Move:
    return Move(SPEC, MX, checks=NO_CHECKS)


class Deaf:
    """A store that says yes and keeps nothing."""

    batch = 1

    def __init__(self, store) -> None:
        self._store = store

    def read(self, names=None):
        return self._store.read(names)

    def write(self, changes) -> None: ...


class Full(Deaf):
    """A store on a full disk."""

    def write(self, changes) -> None:
        raise WriteError(
            "/srv/mail/users: no space left on the device; nothing was written: make room, then apply again"
        )


class Early(Deaf):
    """A store that finds the world not ready."""

    def write(self, changes) -> None:
        raise NotYet("mail still comes to the old server")


def states(move: Move) -> list[str]:
    return [state for _, _, state in move.journal.written]


def test_every_write_is_in_the_journal_with_what_stood_before(move) -> None:
    move.apply(Stage.OVERLAP)
    lowered = MX.model_copy(update={"ttl": 300})
    changes = [(step.change.before, step.change.after) for _, step, _ in move.journal.written]
    assert (MX, lowered) in changes
    assert set(states(move)) == {"done"}


def test_the_journal_has_what_was_left_as_it_was_read() -> None:
    new = SPEC.new.model_copy(update={"dkim": (DkimKey(selector="s2"),)})
    move = Move(SPEC.model_copy(update={"new": new}), MX, checks=NO_CHECKS)
    move.apply(Stage.PREPARE)
    (made,) = [s.change.after for _, s, _ in move.journal.written if s.change.address.kind == "dkim_key"]
    assert isinstance(made, Key)
    assert made == move.state()[made.address]
    assert made.public


def test_a_key_that_another_one_has_replaced_since_is_not_taken_away() -> None:
    new = SPEC.new.model_copy(update={"dkim": (DkimKey(selector="s2"),)})
    move = Move(SPEC.model_copy(update={"new": new}), MX, checks=NO_CHECKS)
    move.apply(Stage.PREPARE)
    keys = move.stores[Place.NEW, "dkim_key"]
    (made,) = keys.read()
    keys._forgets = {}
    keys.write([Change(made, made.model_copy(update={"public": "c29tZWJvZHk="}))])
    step = next(step for step in move.plan_back().steps if step.change.address == made.address)
    assert step.verdict.status is Status.BLOCKED


def test_a_stale_step_is_not_written(move) -> None:
    plan = move.plan(Stage.OVERLAP)
    edited = MX.model_copy(update={"ttl": 7200})
    move.stores[Place.DNS, "rrset"].write([plan.steps[-1].change.__class__(MX, edited)])
    with pytest.raises(StalePlan, match=r"TTL 86400.*TTL 7200"):
        move.carry_out(plan)
    assert move.state()[MX.address] == edited


def test_a_write_that_is_not_kept_is_found_out(move) -> None:
    move.stores[Place.NEW, "mailbox"] = Deaf(move.stores[Place.NEW, "mailbox"])
    with pytest.raises(StepFailed, match=r"new/mailbox/ann@example\.org.*reading it back gives absent"):
        move.apply(Stage.PREPARE)
    assert states(move) == ["done", "failed"]


class Sly(Deaf):
    """A store that keeps something else than it was given, until it is given what stood before."""

    def __init__(self, store, *, stubborn: bool = False) -> None:
        super().__init__(store)
        self.stubborn = stubborn

    def write(self, changes) -> None:
        (change,) = changes
        back = change.after == MX
        if self.stubborn and back:
            raise WriteError("no")
        self._store.write([change if back else replace(change, after=SLY)])


def test_a_write_that_leaves_something_else_is_undone_at_once(move) -> None:
    move.stores[Place.DNS, "rrset"] = Sly(move.stores[Place.DNS, "rrset"])
    with pytest.raises(
        StepFailed, match=r"gives \[TTL 77: .*\] instead of \[TTL 300: .* what stood before stands again"
    ):
        move.apply(Stage.OVERLAP)
    assert states(move)[-1] == "failed"
    assert move.state()[MX.address] == MX


def test_a_write_that_leaves_something_else_and_cannot_be_undone_is_told_as_standing(move) -> None:
    move.stores[Place.DNS, "rrset"] = Sly(move.stores[Place.DNS, "rrset"], stubborn=True)
    with pytest.raises(StepFailed, match=r"example.org. MX stands so now and could not be put back \(no\)"):
        move.apply(Stage.OVERLAP)
    assert states(move)[-1] == "begun"
    assert move.state()[MX.address] == SLY


def test_a_failed_write_leaves_the_steps_before_it_and_the_journal_says_so(move) -> None:
    move.stores[Place.NEW, "mailbox"] = Full(move.stores[Place.NEW, "mailbox"])
    with pytest.raises(WriteError, match="no space left"):
        move.apply(Stage.PREPARE)
    assert states(move) == ["done", "failed"]
    assert move.journal.baselines() == {("new", "domain", "example.org"): None}


def test_a_person_can_stop_between_two_steps(move) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Interrupted, match="apply again"):
        apply(move.plan(Stage.PREPARE), move.hands(stop=lambda: next(asked)), None)
    assert states(move) == ["done", "done"]


def test_many_changes_of_one_kind_go_in_one_write(move) -> None:
    move.stores[Place.NEW, "mailbox"].batch = 500
    writes = []
    store = move.stores[Place.NEW, "mailbox"]
    whole = store.write

    def counted(changes) -> None:
        writes.append(len(changes))
        whole(changes)

    store.write = counted
    move.apply(Stage.PREPARE)
    assert writes == [3]


def test_what_does_not_run_now_holds_back_all_later_stages(move) -> None:
    plan = move.plan(Stage.CUTOVER)
    held = plan.steps[-2].judged(plan.steps[-2].verdict.__class__(Status.WAIT, "for the sake of the test"))
    outcome = move.carry_out(Plan(plan.domain, plan.stage, plan.made_at, "", (*plan.steps[:-2], held, plan.steps[-1])))
    assert [step.number for step in outcome.held] == [held.number, plan.steps[-1].number]
    assert move.state()[MX.address] == MX


def test_each_stage_is_judged_again_before_it_is_entered(move) -> None:
    plan = move.plan(Stage.CUTOVER)
    judged = []

    def judge(stage):
        judged.append(stage)
        blocked = Verdict(Status.BLOCKED, "no")
        of_stage = [step for step in plan.steps if step.stage is stage]
        return {s.change.address: s.judged(blocked) if stage is Stage.OVERLAP else s for s in of_stage}

    outcome = apply(plan, move.hands(), judge)
    assert judged == [Stage.PREPARE, Stage.OVERLAP]
    assert len(outcome.written) == DOMAIN_AND_THREE
    assert [step.stage for step in outcome.held] == [Stage.OVERLAP, Stage.CUTOVER]


def test_a_check_that_fails_since_the_plan_was_made_holds_the_first_stage_back_too(move) -> None:
    plan = move.plan(Stage.PREPARE)
    fails = {s.change.address: s.judged(Verdict(Status.BLOCKED, "no")) for s in plan.steps}
    outcome = apply(plan, move.hands(), lambda _stage: fails)
    assert outcome.written == ()
    assert len(outcome.held) == len(plan.steps)


def test_the_clock_of_each_name_server_starts_when_the_new_value_is_seen_there(move) -> None:
    move.apply(Stage.OVERLAP)
    history = move.journal.histories()["example.org. MX"]
    assert history.servers == ("ns1", "ns2")
    assert [s.value.ttl for s in history.sightings if s.server == "ns1"] == [86400, 300]


def test_an_account_that_an_earlier_run_made_is_not_made_again(move) -> None:
    plan = move.plan(Stage.PREPARE)
    move.stores[Place.NEW, "mailbox"].write([s.change for s in plan.steps if s.change.address.name.startswith("ann")])
    outcome = move.carry_out(plan)
    assert len(outcome.already) == 1
    assert Mailbox(place=Place.NEW, name="ann@example.org") in move.state().values()


def test_where_the_world_is_not_ready_the_rest_is_held_and_nothing_failed(move) -> None:
    mailboxes = move.stores[Place.NEW, Mailbox.kind]
    move.stores[Place.NEW, Mailbox.kind] = Early(mailboxes)
    outcome = move.apply(Stage.CUTOVER)
    kinds = [step.change.address.kind for step in outcome.held]
    assert kinds[:3] == ["mailbox"] * 3
    assert "rrset" in kinds
    assert states(move) == ["done", "failed"]
    move.stores[Place.NEW, Mailbox.kind] = mailboxes
    assert move.apply(Stage.CUTOVER).held == ()
    assert move.plan(Stage.CUTOVER).steps == ()
