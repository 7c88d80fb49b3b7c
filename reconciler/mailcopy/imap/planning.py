"""From two surveys and the ledger to the work of one pass: which folders need a look, and where their copies go."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.mailcopy.imap.folder_lists import Status
from reconciler.mailcopy.imap.folder_plan import folder_plan
from reconciler.mailcopy.imap.folders import make_ready
from reconciler.mailcopy.imap.job import MailboxCopy
from reconciler.mailcopy.imap.labels import Labels
from reconciler.mailcopy.imap.listing import Asked, ask
from reconciler.mailcopy.imap.mailbox_pass import Work, groups, is_unchanged
from reconciler.mailcopy.imap.session import Session
from reconciler.mailcopy.imap.settling import await_decision
from reconciler.mailcopy.imap.survey import Survey
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.mailcopy.model.flags import Allowed
from reconciler.mailcopy.model.gmail import CAPABILITY as LABELS
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import FolderPlan, LeftOut, Mapped, plain


@dataclass(frozen=True, slots=True)
class Agenda:
    """``works`` need a look; ``accounts`` are settled already. ``doubts`` are the ledger's numbers of open batches.

    ``plan`` is the one carried out: of folders whose names the target refused it has the plain names. ``allowed`` are
    the flags that new folders keep, by raw name; ``ahead`` is on the source's wire already.
    """

    plan: FolderPlan
    works: tuple[Work, ...]
    accounts: tuple[FolderAccount, ...]
    doubts: Mapping[int, tuple[int, ...]]
    labels: Labels | None
    allowed: Mapping[bytes, Allowed]
    ahead: Asked | None


def prepare(  # noqa: PLR0917 - both sides as they are
    copy: MailboxCopy, means: Means, plan: FolderPlan, source: Session, here: Survey, target: Session, there: Survey
) -> Agenda:
    """Make the target's folders ready, wait for batches in doubt, and compare with the ledger."""
    ledger = means.ledger
    if copy.rules.retry_refused:
        ledger.forget_refused(copy.key)
    ahead = _ask_ahead(copy, plan, source, here, there, ledger.folders(copy.key))
    standing, unwanted, allowed = make_ready(target, plan, there)
    odd = {line.source.path for line in plan.mapped if line.raw in unwanted and plain(line.target) != line.target}
    if odd:
        plan = folder_plan(copy, source, here, there, odd)
        standing, unwanted, more = make_ready(target, plan, replace(there, status=standing))
        allowed = {**allowed, **more}
    every = copy.rules.every_label
    labels = Labels.of(source, ledger, copy.key, plan, standing, every=every)
    states = ledger.folders(copy.key)
    doubts: dict[int, tuple[int, ...]] = {}
    for doubt in ledger.doubts(copy.key):
        doubts[doubt.folder] = (*doubts.get(doubt.folder, ()), doubt.number)
    if doubts:
        by_number = {state.number: state for state in states.values()}
        decided = await_decision(target, ledger.doubts(copy.key), by_number, means)
        standing = {**standing, **decided}
    works, accounts = [], [_left_out(entry, here) for entry in plan.left_out]
    for mapped in plan.mapped:
        status, target_status = here.status.get(mapped.source.raw), standing.get(mapped.raw)
        if status is None:
            continue  # the survey could not look at it, and said so
        if target_status is None:
            accounts.append(_unwanted(mapped, status, unwanted.get(mapped.raw, "the target does not show it")))
            continue
        state = _current(states.get(mapped.source.raw), mapped, status, target_status)
        if state.number == 0:
            state = ledger.open_folder(copy.key, state)
        in_doubt = state.number in doubts
        if not in_doubt and is_unchanged(state, status, copy):
            accounts.append(_unchanged(mapped, state))
        else:
            works.append(Work(mapped, state, status, target_status, in_doubt))
    return Agenda(plan, tuple(works), tuple(accounts), doubts, labels, allowed, ahead)


def _ask_ahead(  # noqa: PLR0917 - as prepare
    copy: MailboxCopy,
    plan: FolderPlan,
    source: Session,
    here: Survey,
    there: Survey,
    states: Mapping[bytes, FolderState],
) -> Asked | None:
    """Have the source list what will be looked at first, while the target still makes its folders.

    Where that is another list in the end, it is asked for once more. Gmail is asked for labels in between.
    """
    if source.can(LABELS) or all(line.raw in there.status for line in plan.mapped):
        return None
    works = []
    for line in plan.mapped:
        status = here.status.get(line.source.raw)
        target = there.status.get(line.raw, Status(0, 1, 0, 0))
        state = status and _current(states.get(line.source.raw), line, status, target)
        if status and state and not is_unchanged(state, status, copy):
            works.append(Work(line, state, status, target, in_doubt=False))
    first = next(groups(works), [])
    return ask(source, [work.wanted(follows=copy.rules.follow_flags) for work in first])


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


def _unwanted(mapped: Mapped, status: Status, words: str) -> FolderAccount:
    tally = Tally(count=status.messages, waiting=status.messages)
    into = "/".join(mapped.target)
    return FolderAccount(
        mapped.source.title, into, tally, (Refusal(mapped.source.title, 0, f"no folder {into}: {words}"),)
    )


def _unchanged(mapped: Mapped, state: FolderState) -> FolderAccount:
    """Of a folder that one STATUS was enough for."""
    tally = Tally(count=state.messages, copied=state.copied, excluded=state.excluded, refused=state.refused)
    return FolderAccount(mapped.source.title, "/".join(mapped.target), tally)
