"""The end of a pass over one mailbox, however it was copied: told, accounted for, and why anything is left."""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from reconciler.mailcopy.job import MailboxReport, Means, State
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally, total
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.mapping import FolderPlan
from reconciler.mailcopy.refused import all_refusals
from reconciler.mailcopy.turns import GiveBack
from reconciler.wording.lists import counted

_CUT_SHORT: Final = (State.FULL, State.LIMITED, State.AUTH_LOST, State.GIVEN_BACK, State.FAILED)

_log: Final = logging.getLogger(__name__)


class Accountable(Protocol):
    """What a pass knows of itself once it has ended."""

    plan: FolderPlan
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]

    def say(self, state: State, folder: str = "", words: str = "") -> None:
        """Tell how far it is."""

    def accounts(self) -> tuple[FolderAccount, ...]:
        """Of each source folder that was looked at, by name."""


def reported(
    attempt: Accountable, key: CopyKey, means: Means, persist: Callable[[], tuple[State, str]]
) -> MailboxReport:
    """Run the pass to its end, which ``persist`` does, and report what became of everything."""
    began = means.clock.now()
    _log.info("%s: a pass from %s to %s begins", key.account, key.source, key.target)
    try:
        state, words = persist()
    except GiveBack as error:
        state, words = State.GIVEN_BACK, str(error)
    accounts = attempt.accounts()
    if state in _CUT_SHORT:
        words = "; ".join(filter(None, (words, _brought(total(accounts)))))
    attempt.say(state, words=words)
    _log.info("%s: %s %s", key.account, state.value, words)
    refusals = all_refusals(attempt.refusals, accounts, attempt.plan, key, means.ledger)
    return MailboxReport(key, state, began, means.clock.now(), accounts, attempt.plan, words, refusals, attempt.notes)


def _brought(tally: Tally) -> str:
    """How far it came; nothing where it did not come to look."""
    if not tally.count:
        return ""
    return f"{tally.copied} of {counted(tally.count, 'message')} stand there, {tally.waiting} to go"
