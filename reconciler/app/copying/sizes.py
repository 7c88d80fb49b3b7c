"""What is known of the mailboxes before a pass: how much each has to bring, and when it was last through."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.app.copying.before import Measured, Measuring, PassBegun
from reconciler.app.copying.forecast import Forecast, Load
from reconciler.mailcopy.either import AnyCopy
from reconciler.mailcopy.ports import MailLedger
from reconciler.mailcopy.sizing import Size, measure_all
from reconciler.model.event import Events
from reconciler.model.last_pass import LastPass
from reconciler.ports import Clock
from reconciler.spec.copy import MailCopy


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier passes have left."""

    ledger: MailLedger
    passes: Mapping[str, LastPass]
    clock: Clock


def measured(
    copies: Sequence[AnyCopy], section: MailCopy, before: Before, events: Events, stop: Callable[[], bool]
) -> tuple[Sequence[AnyCopy], PassBegun]:
    """The copies with the sizes of those that were never copied to the end, which are measured now.

    What was copied before brings little: it is not looked at twice.
    """
    passes = before.passes
    new = [
        copy
        for copy in copies
        if not (copy.key.source == "old" and copy.key.account in passes and passes[copy.key.account].copied)
    ]
    if len(new) > 1:
        events.tell(Measuring(len(new)))
    sizes = measure_all(new, section.parallel, stop)
    loads = {copy.key.account: _load(copy, sizes, before.ledger) for copy in new if copy.key.account in sizes}
    if len(new) > 1 and loads:
        events.tell(Measured(loads))
    begun = PassBegun(len(copies), Forecast(before.clock, loads, section.cutover), passes)
    return [_sized(copy, loads) for copy in copies], begun


def _load(copy: AnyCopy, sizes: Mapping[str, Size], ledger: MailLedger) -> Load:
    """What is left of a mailbox whose copy was cut short, as far as counts can say."""
    size = sizes[copy.key.account]
    known = sum(ledger.counts(state.number).held for state in ledger.folders(copy.key).values())
    left = max(0, size.messages - known)
    limits = (copy.source.server.limits.octets_a_day, copy.target.server.limits.octets_a_day)
    a_day = min((limit for limit in limits if limit is not None), default=None)
    today = max(0, a_day - ledger.spent(copy.key)) if a_day is not None else 0
    return Load(size.octets * left // size.messages if size.messages else 0, a_day, today)


def _sized(copy: AnyCopy, loads: Mapping[str, Load]) -> AnyCopy:
    account = copy.key.account
    return replace(copy, octets=loads[account].octets) if account in loads else copy
