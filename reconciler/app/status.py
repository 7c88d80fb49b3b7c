"""Where a move stands: what can be said of it at one moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.app.clock import local
from reconciler.app.session import Session, Sight
from reconciler.engine.desire import Kinds
from reconciler.engine.planner import World
from reconciler.engine.zone import claimed_names
from reconciler.journal.records import Run
from reconciler.model.address import Address, Place
from reconciler.model.plan import Plan, Step
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import Status
from reconciler.render.phrases.changes import words
from reconciler.render.phrases.naming import thing
from reconciler.resources.mail.stored import StoredMail
from reconciler.resources.server.sieve import SieveScript
from reconciler.spec.spec import Spec
from reconciler.wording.times import Local, due


@dataclass(frozen=True, slots=True)
class CacheClock:
    """One RRset as the name servers were seen to serve it.

    ``since``: from when on all of them have served what stands now; None if one does not. ``clear_at``: when no cache
    holds an earlier value any more; None if none was ever replaced. ``lagging``: the servers that serve another value.
    """

    name: str
    since: datetime | None
    clear_at: datetime | None
    lagging: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopiedMail:
    """Of how many mailboxes the mail was copied, is complete on the new server, and has gone quiet on the old one."""

    mailboxes: int
    copied: int
    complete: int
    quiet: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The stage that the zone shows, the clocks of caches, the mail where the spec has it copied, and the users."""

    stage: Stage
    caches: tuple[CacheClock, ...]
    mail: CopiedMail | None
    users: int
    not_moved: tuple[str, ...]
    switched_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveStatus:
    """A move at one moment. ``goes_to`` is the spec's stage; ``next``: the one next thing to do, as a sentence."""

    domain: str
    goes_to: Stage
    now: datetime
    stands: Standing
    plan: Plan
    next: str
    last_run: Run | None


def status_of(session: Session) -> MoveStatus:
    """Read everything, write nothing.

    Raises:
        ReconcilerError: a server, the zone or the journal could not be read.

    """
    spec, path = session.move.spec, str(session.move.path)
    with session.move.past() as past:
        sight, last_run = session.look(past), next(reversed(past.runs()), None)
    plan = session.plan(sight)
    is_last = spec.target is Stage.DECOMMISSION
    ahead = None if plan.steps or is_last else session.plan(sight, Stage(spec.target + 1))
    stands, following = standing(spec, session.rules.kinds, sight), next_thing(plan, ahead, path, local)
    return MoveStatus(spec.domain, spec.target, sight.world.now, stands, plan, following, last_run)


def standing(spec: Spec, kinds: Kinds, sight: Sight) -> Standing:
    """What was read, in few words."""
    world = sight.world
    today = spec.on(world.now.date())
    forwarded = [mailbox for mailbox in today.mailboxes if mailbox.forward_to]
    not_moved = tuple(mailbox.address for mailbox in forwarded if mailbox.moved is not True)
    return Standing(
        stage=sight.reached,
        caches=tuple(_clocks(spec, kinds, world)),
        mail=_copied(spec, world) if spec.mail_copy else None,
        users=len(forwarded),
        not_moved=not_moved,
        switched_off=tuple(address for address in not_moved if _has_switched_off(world, address)),
    )


def next_thing(now: Plan, ahead: Plan | None, path: str, local: Local) -> str:
    """What is next, when it may be, and why not earlier; ``ahead`` is the plan to the stage after the spec's."""
    if now.runnable:
        return f"{_counted(now.runnable)} now: reconciler apply {path}"
    if now.steps:
        return _held(now, local)
    if ahead is None:
        return "nothing: the move is complete"
    if not ahead.steps:
        return f"{ahead.stage.label}, which changes nothing: set stage: {ahead.stage.label} in {path}"
    if ahead.runnable:
        return f"{ahead.stage.label}: set it as the stage in {path}; {_counted(ahead.runnable)} can run at once"
    return f"{ahead.stage.label}: {_held(ahead, local)}"


def _held(plan: Plan, local: Local) -> str:
    """The step that is held back on its own account, not because it comes after another."""
    step = max(plan.steps, key=lambda each: (each.verdict.status.severity, -each.number))
    if step.verdict.status is Status.WAIT:
        step = next((each for each in plan.steps if each.verdict.until), plan.steps[0])
    what = f"{thing(step.change.address)} ({words(step.change)})" if words(step.change) else thing(step.change.address)
    if step.verdict.status is Status.WAIT and step.verdict.until:
        return f"{what}, not before {due(step.verdict.until, local)}, because {step.verdict.why}"
    if step.verdict.status is Status.WAIT:
        return f"{what}, not yet, because {step.verdict.why}"
    return f"{what}: {step.note if step.verdict.status is Status.BY_HAND else step.verdict.why}"


def _counted(steps: Sequence[Step]) -> str:
    stages = list(dict.fromkeys(step.stage.label for step in steps))
    return f"{len(steps):,} {'change' if len(steps) == 1 else 'changes'} ({', '.join(stages)})"


def _clocks(spec: Spec, kinds: Kinds, world: World) -> Iterator[CacheClock]:
    """Of the RRsets that were seen to change, or that not every name server serves as the zone has them."""
    for name in sorted(claimed_names(spec, kinds.records)):
        history = world.histories.get(name)
        found = world.observed.get(Address(Place.DNS, RRset.kind, name))
        stands = found if isinstance(found, RRset) else None
        lagging = history.lagging(stands) if history else ()
        if history and (lagging or history.clear_at()):
            since = None if lagging else history.since(stands.rdata if stands else frozenset())
            yield CacheClock(name, since, history.clear_at(), lagging)


def _copied(spec: Spec, world: World) -> CopiedMail:
    found = [mail for mail in world.observed.values() if isinstance(mail, StoredMail)]
    complete, quiet = sum(mail.complete for mail in found), sum(mail.quiet for mail in found)
    return CopiedMail(len(spec.with_old_mail), len(found), complete, quiet)


def _has_switched_off(world: World, address: str) -> bool:
    script = world.observed.get(Address(Place.NEW, SieveScript.kind, address))
    return isinstance(script, SieveScript) and script.switched_off
