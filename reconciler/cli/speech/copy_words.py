"""What is said of a pass over mailboxes, in one line."""

from collections.abc import Mapping
from typing import Final

from reconciler.app.copying.before import Measured, Measuring
from reconciler.app.copying.copied import CopyingBack
from reconciler.app.copying.forecast import Load
from reconciler.app.copying.outcome import Outcome
from reconciler.model.event import Event
from reconciler.wording.printable import printable
from reconciler.wording.sizes import octets
from reconciler.wording.times import moment

_MOST_NAMED: Final = 3


def in_one_line(outcome: Outcome) -> str:
    """``ann@example.org: done, 2,000 messages, 50 sent (1.2 MB)``."""
    tally = outcome.tally
    sent = f"{tally.sent:,} sent ({octets(tally.octets)})"
    line = f"{printable(outcome.address)}: {outcome.state}, {tally.count:,} messages, {sent}"
    if outcome.grade:
        line += f", {outcome.grade.value}"
    return f"{line}: {printable(outcome.words)}" if outcome.words else line


def words_before(event: Event) -> str:
    """What is done before the first mailbox is copied; empty for any other event."""
    match event:
        case CopyingBack(None):
            return "the journal knows of no cutover: all mail of the new server is compared with the old one's"
        case CopyingBack(since) if since:
            return f"only what arrived on the new server since {moment(since)} is copied back"
        case Measuring(mailboxes):
            return f"measuring {mailboxes:,} mailboxes"
        case Measured(loads):
            return _to_copy(loads)
        case _:
            return ""


def _to_copy(loads: Mapping[str, Load]) -> str:
    biggest = sorted(loads, key=lambda account: loads[account].octets, reverse=True)[:_MOST_NAMED]
    named = ", ".join(f"{account} {octets(loads[account].octets)}" for account in biggest)
    return f"{octets(sum(load.octets for load in loads.values()))} to copy; the biggest first: {named}"
