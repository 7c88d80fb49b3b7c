"""From two surveys and the ledger to the work of one pass: which folders need a look, and where their copies go."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.folder_plan import folder_plan
from reconciler.mailcopy.imap.folders import Ready, make_ready
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import Labels
from reconciler.mailcopy.imap.listing import Asked, ask
from reconciler.mailcopy.imap.settling import await_decision
from reconciler.mailcopy.imap.standing import Watched
from reconciler.mailcopy.imap.survey import Survey, below
from reconciler.mailcopy.imap.work import Work, groups, is_unchanged
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.mailcopy.model.flags import Allowed
from reconciler.mailcopy.model.folder import INBOX, Folder
from reconciler.mailcopy.model.gmail import CAPABILITY as LABELS
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import FolderPlan, LeftOut, Mapped, clash
from reconciler.model.folder_path import Path

_OTHER_NAMES = 3
"""Times that refused folders are tried by other names."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """``works`` need a look; ``accounts`` are settled already. ``doubts`` are the ledger's numbers of open batches.

    ``plan`` is the one carried out: of folders whose names the target refused it has others. ``allowed`` are the flags
    that new folders keep, by raw name; ``ahead`` is on the source's wire already. ``notes`` are for people.
    """

    plan: FolderPlan
    works: tuple[Work, ...]
    accounts: tuple[FolderAccount, ...]
    doubts: Mapping[int, tuple[int, ...]]
    labels: Labels | None
    allowed: Mapping[bytes, Allowed]
    ahead: Asked | None
    notes: tuple[str, ...]


def prepare(  # noqa: PLR0917 - both sides as they are
    copy: MailboxCopy, means: Means, plan: FolderPlan, source: Watched, here: Survey, target: Watched, there: Survey
) -> Agenda:
    """Make the target's folders ready, wait for batches in doubt, and compare with the ledger."""
    ledger = means.ledger
    if copy.rules.retry_refused:
        ledger.forget_refused(copy.key)
    in_doubt = ledger.doubts(copy.key)
    ahead = None if in_doubt else _ask_ahead(copy, plan, source, here, there, ledger.folders(copy.key))
    plan, ready = _made_ready(copy, plan, source, here, target, there)
    standing: Mapping[bytes, Status] = ready.standing
    labels = Labels.of(source.session, ledger, copy.key, plan, standing, every=copy.rules.every_label)
    states = ledger.folders(copy.key)
    doubts: dict[int, tuple[int, ...]] = {}
    for doubt in in_doubt:
        doubts[doubt.folder] = (*doubts.get(doubt.folder, ()), doubt.number)
    if doubts:
        by_number = {state.number: state for state in states.values()}
        decided = await_decision(source.session, target, in_doubt, by_number, means)
        standing = {**standing, **decided}
    works, accounts = [], [_left_out(entry, here) for entry in plan.left_out]
    for mapped in plan.mapped:
        status, target_status = here.status.get(mapped.source.raw), standing.get(mapped.raw)
        if status is None:
            accounts += _not_opened(mapped, states.get(mapped.source.raw))
            continue
        if target_status is None:
            accounts.append(_unwanted(mapped, status, ready.refused.get(mapped.raw, "the target does not show it")))
            continue
        state = _current(states.get(mapped.source.raw), mapped, status, target_status)
        if state.number == 0:
            state = ledger.open_folder(copy.key, state)
        doubted = state.number in doubts
        if not doubted and is_unchanged(state, status, copy):
            accounts.append(_unchanged(mapped, state))
        else:
            suspicion = _suspicion(mapped, source, target)
            works.append(Work(mapped, state, status, target_status, doubted, suspicion))
    untouched_first = sorted(works, key=lambda work: work.suspicion)
    notes = (*here.notes, *_notes(plan, ready))
    return Agenda(plan, tuple(untouched_first), tuple(accounts), doubts, labels, ready.allowed, ahead, notes)


def _made_ready(  # noqa: PLR0917 - as prepare
    copy: MailboxCopy, plan: FolderPlan, source: Watched, here: Survey, target: Watched, there: Survey
) -> tuple[FolderPlan, Ready]:
    """Where the target refuses names, others are tried: plainer ones, with a number, below INBOX."""
    unwanted: Counter[Path] = Counter()
    folds = False
    ready = make_ready(target, plan, there)
    allowed = dict(ready.allowed)
    for _ in range(_OTHER_NAMES):
        refused = [line for line in plan.mapped if line.raw in ready.refused and line.raw not in ready.standing]
        if not refused:
            break
        there = replace(there, status=ready.standing)
        if _wants_prefix(plan, refused, there):
            inbox = f"INBOX{there.namespace.separator}"
            there = below(there, inbox)
        elif not folds and clash(refused, _others(plan, refused, there)):
            folds = True
        else:
            unwanted.update(line.source.path for line in refused)
        other = folder_plan(copy, source.session, here, there, None, unwanted, folds_case=folds)
        if [line.raw for line in other.mapped] == [line.raw for line in plan.mapped]:
            continue
        plan, said = other, ready.refused
        ready = make_ready(target, plan, there)
        allowed |= ready.allowed
        ready = ready._replace(refused={**ready.refused, **said}, allowed=allowed)
    return plan, ready


def _others(plan: FolderPlan, refused: Iterable[Mapped], there: Survey) -> list[Folder]:
    """The folders that stand or were made, as the target has them."""
    gone = {line.raw for line in refused}
    made = [replace(line.source, raw=line.raw, path=line.target) for line in plan.mapped if line.raw not in gone]
    return [*there.folders, *(folder for folder in made if folder.path not in {f.path for f in there.folders})]


def _wants_prefix(plan: FolderPlan, refused: Iterable[Mapped], there: Survey) -> bool:
    """Whether the target refuses every new folder and does not tell where it keeps them: below INBOX, mostly."""
    new = [line for line in plan.mapped if not line.exists and line.target != INBOX]
    untold = not there.namespace.told and not there.namespace.prefix and bool(there.namespace.separator)
    return untold and bool(new) and len(list(refused)) == len(new)


def _suspicion(mapped: Mapped, source: Watched, target: Watched) -> int:
    sides = ((source, mapped.source.raw), (target, mapped.raw))
    return sum(watched.suspects.weight(watched.session.side, raw) for watched, raw in sides)


def _notes(plan: FolderPlan, ready: Ready) -> Iterable[str]:
    for line in plan.mapped:
        if words := ready.unsubscribed.get(line.raw):
            yield f"{'/'.join(line.target)} is not subscribed on the target: {words}"


def _ask_ahead(  # noqa: PLR0917 - as prepare
    copy: MailboxCopy,
    plan: FolderPlan,
    source: Watched,
    here: Survey,
    there: Survey,
    states: Mapping[bytes, FolderState],
) -> Asked | None:
    """Have the source list what will be looked at first, while the target still makes its folders.

    Where that is another list in the end, it is asked for once more. Gmail is asked for labels in between, and a folder
    that has ended a connection is not asked for here.
    """
    if source.session.can(LABELS) or all(line.raw in there.status for line in plan.mapped):
        return None
    works = []
    for line in plan.mapped:
        status = here.status.get(line.source.raw)
        target = there.status.get(line.raw, Status(0, 1, 0, 0))
        state = status and _current(states.get(line.source.raw), line, status, target)
        if status and state and not is_unchanged(state, status, copy):
            works.append(Work(line, state, status, target, in_doubt=False))
    first = next(groups(works), [])
    if any(source.suspects.is_suspect(source.session.side, work.mapped.source.raw) for work in first):
        return None
    return ask(source.session, [work.wanted(follows=copy.rules.follow_flags) for work in first])


def _current(known: FolderState | None, mapped: Mapped, here: Status, there: Status) -> FolderState:
    """What the ledger knows, unless a UIDVALIDITY or the folder's place is another: then nothing (number 0)."""
    fresh = FolderState(0, mapped.source.raw, here.uidvalidity, mapped.raw, there.uidvalidity)
    if known is None:
        return fresh
    same = (known.source_uidvalidity, known.target, known.target_uidvalidity) == (
        fresh.source_uidvalidity,
        fresh.target,
        fresh.target_uidvalidity,
    )
    return known if same else fresh


def _left_out(entry: LeftOut, here: Survey) -> FolderAccount:
    status = here.status.get(entry.source.raw)
    count = status.messages if status else 0
    tally = Tally(count=count, excluded=count)
    return FolderAccount(entry.source.title, "", tally, rule=entry.rule)


def _not_opened(mapped: Mapped, known: FolderState | None) -> list[FolderAccount]:
    """The survey could not look at it, and said so; what earlier passes have brought stands there."""
    if known is None:
        return []
    held = known.copied + known.excluded + known.refused
    tally = Tally(count=held, copied=known.copied, excluded=known.excluded, refused=known.refused)
    return [FolderAccount(mapped.source.title, "/".join(mapped.target), tally)]


def _unwanted(mapped: Mapped, status: Status, words: str) -> FolderAccount:
    tally = Tally(count=status.messages, waiting=status.messages)
    into = "/".join(mapped.target)
    return FolderAccount(
        mapped.source.title, into, tally, (Refusal(mapped.source.title, 0, f"no folder {into}: {words}"),)
    )


def _unchanged(mapped: Mapped, state: FolderState) -> FolderAccount:
    """Of a folder that one STATUS was enough for."""
    held = state.copied + state.excluded + state.refused
    tally = Tally(count=held, copied=state.copied, excluded=state.excluded, refused=state.refused)
    return FolderAccount(mapped.source.title, "/".join(mapped.target), tally)
