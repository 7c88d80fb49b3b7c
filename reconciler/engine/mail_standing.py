"""How far the stored mail has followed the MX: told from the ledger of the mail copy and the TTL clock. Pure.

No server shows whether all mail of a mailbox has been copied. It is so when a pass began after the last moment at
which mail could still be delivered on the side that was left: when no cache names that side any more. Until the cutover
mail goes on coming there, and what counts is that the last comparison is not old.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from reconciler.checks._caches import last_forgotten
from reconciler.checks._routing import Turn, turns
from reconciler.model.address import Place
from reconciler.model.mail.last_pass import LastPass
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
            complete = is_good and _is_complete(spec, last, delivery, now)
            yield StoredMail(place=Place.NEW, name=address, complete=complete)


def returned(spec: Spec, passes: Passes, delivery: Delivery) -> Iterator[ReturnedMail]:
    """Of each mailbox that has nothing on the new server which the old one lacks."""
    for address, last, is_good in _each(spec, passes):
        back = is_good and delivery.new_closed is not None and _at_or_after(last.judged, delivery.new_closed)
        if not delivery.ever_new or back:
            yield ReturnedMail(place=Place.OLD, name=address)


def _is_complete(spec: Spec, last: LastPass, delivery: Delivery, now: datetime) -> bool:
    fresh = _at_or_after(last.judged, now - spec.waits.copy_fresh)
    if not delivery.to_new:
        return fresh
    if delivery.old_closed is None or now < delivery.old_closed:
        return False  # mail may still come: checks/mail_settled says how long that is waited for
    if not _at_or_after(last.judged, delivery.old_closed):
        return False
    quiet_at = last.quiet_at(spec.waits.quiet)
    return quiet_at is None or (fresh and now < quiet_at)


def _each(spec: Spec, passes: Passes) -> Iterator[tuple[str, LastPass, bool]]:
    approved = spec.mail_copy.approved if spec.mail_copy else ()
    for mailbox in spec.mailboxes:
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


def _at_or_after(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment >= limit
