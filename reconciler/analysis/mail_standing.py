"""How far the stored mail has followed the MX: told from the ledger of the mail copy and the TTL clock. Pure.

No server shows whether all mail of a mailbox has been copied. It is so when a pass began after the last moment at
which mail could still be delivered on the side that was left: when no cache names that side any more. Until the cutover
mail goes on coming there, and what counts is that the last comparison is not old.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from reconciler.analysis.caches import last_forgotten
from reconciler.analysis.cutover_records import Turn, turns
from reconciler.model.address import Place
from reconciler.model.last_pass import LastPass
from reconciler.model.rrset import RRset
from reconciler.model.sighting import History
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.spec.spec import Spec

Passes = Mapping[str, LastPass]
"""Address to its last pass; an address that was never copied is not in it."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the world delivers, as the name servers were seen to say.

    ``old_closed``: from then on no cache sends mail to the old server, None while one may; ``new_closed`` the same of
    the new one. ``to_new``: a name server names the new server now; ``ever_new``: one was once seen to.
    """

    old_closed: datetime | None
    new_closed: datetime | None
    to_new: bool
    ever_new: bool

    @classmethod
    def of(cls, spec: Spec, histories: Mapping[str, History]) -> Self:
        """From the sightings of all that the cutover turns."""
        turned = turns(spec)
        seen = [(turn, histories.get(turn.name, History())) for turn in turned]
        ever_new = any(s.value is not None and s.value.rdata == turn.new for turn, h in seen for s in h.sightings)
        margin = spec.waits.margin
        return cls(
            old_closed=_closed(seen, lambda turn: turn.new, margin),
            new_closed=_closed(seen, lambda turn: turn.old, margin),
            to_new=not turned or any(history.is_served(turn.new) for turn, history in seen),
            ever_new=ever_new,
        )


def stored(spec: Spec, passes: Passes, delivery: Delivery, now: datetime) -> Iterator[StoredMail]:
    """Of each mailbox whose mail was copied to the new server at least once."""
    for address, last, is_good in _each(spec, passes):
        if last.copied is not None:
            quiet = is_good and _is_quiet(spec, last, delivery)
            complete = quiet or (is_good and _is_complete(spec, last, delivery, now))
            yield StoredMail(place=Place.NEW, name=address, complete=complete, quiet=quiet)


def returned(spec: Spec, passes: Passes, delivery: Delivery) -> Iterator[ReturnedMail]:
    """Of each mailbox that has nothing on the new server which the old one lacks."""
    for address, last, is_good in _each(spec, passes):
        back = is_good and delivery.new_closed is not None and _has_seen(last, delivery.new_closed)
        if not delivery.ever_new or back:
            yield ReturnedMail(place=Place.OLD, name=address)


def _is_complete(spec: Spec, last: LastPass, delivery: Delivery, now: datetime) -> bool:
    """Never for longer than ``waits.copy_fresh``: before the cutover mail comes, after it users go on working there."""
    if not _at_or_after(last.judged, now - spec.waits.copy_fresh):
        return False
    if not delivery.to_new:
        return True
    # else mail may still come: checks/mail_settled says how long that is waited for
    return delivery.old_closed is not None and _has_seen(last, delivery.old_closed)


def _is_quiet(spec: Spec, last: LastPass, delivery: Delivery) -> bool:
    """Mail cannot be delivered there any more, and a pass found nothing, so long after one that did."""
    closed = delivery.old_closed if delivery.to_new else None
    return closed is not None and _has_seen(last, closed) and last.quiet_at(spec.waits.quiet) is None


def _each(spec: Spec, passes: Passes) -> Iterator[tuple[str, LastPass, bool]]:
    approved = spec.mail_copy.approved if spec.mail_copy else ()
    for mailbox in spec.with_old_mail:
        last = passes.get(mailbox.address, LastPass())
        yield mailbox.address, last, last.is_good(approved=mailbox.address in approved)


def _closed(
    seen: list[tuple[Turn, History]], wanted: Callable[[Turn], frozenset[str]], margin: timedelta
) -> datetime | None:
    """From when on no cache holds another value than the wanted one; None where a name server still says it."""
    times = [_ALWAYS]
    for turn, history in seen:
        since = history.since(wanted(turn))
        if since is None:
            return None
        last = last_forgotten(history, _other_than(wanted(turn)))
        times.append((last.at if last else since) + margin)
    return max(times)


def _other_than(wanted: frozenset[str]) -> Callable[[RRset], bool]:
    return lambda value: value.rdata != wanted


def _has_seen(last: LastPass, closed: datetime) -> bool:
    """Whether pass and comparison both began later: the judge takes what came after a pass for the next one's."""
    return _at_or_after(last.copied, closed) and _at_or_after(last.judged, closed)


def _at_or_after(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment >= limit
