"""Exit codes of a pass over the mail."""

from collections.abc import Iterable
from typing import Final

from reconciler.app.copying.outcome import BAD_GRADES, Outcome
from reconciler.cli.exit_codes import Code, worst
from reconciler.mailcopy.job import State

_MAILBOXES: Final = {
    State.DONE.value: Code.DONE,
    State.PARTLY.value: Code.BLOCKED,
    State.FULL.value: Code.BLOCKED,
    State.LIMITED.value: Code.WAITING,
    State.AUTH_LOST.value: Code.BLOCKED,
    State.SUSPECT.value: Code.BLOCKED,
    State.HELD.value: Code.WAITING,
    State.GIVEN_BACK.value: Code.WAITING,
}


def of_copied(outcomes: Iterable[Outcome]) -> Code:
    """Of a pass over mailboxes."""
    return worst(of_mailbox(outcome) for outcome in outcomes)


def of_mailbox(outcome: Outcome) -> Code:
    """Of one mailbox in a pass."""
    codes = [_MAILBOXES.get(outcome.state, Code.FAILED)]
    if outcome.refusals or outcome.tally.refused or outcome.grade in BAD_GRADES:
        codes.append(Code.BLOCKED)
    if outcome.unjudged or not outcome.tally.balanced:
        codes.append(Code.FAILED)
    return worst(codes)
