"""When all mailboxes will be through, against the planned cutover: by measured sizes, the rate, and daily limits."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from reconciler.app.copying.outcome import MailboxThrough
from reconciler.mailcopy.job import Progress, State
from reconciler.model.event import Event
from reconciler.ports import Clock
from reconciler.wording.machine_times import encoded
from reconciler.wording.sizes import octets, span
from reconciler.wording.times import moment

_SURE_AFTER: Final = timedelta(seconds=5)  # a rate of the first seconds says nothing


@dataclass(frozen=True, slots=True)
class Load:
    """What a mailbox has to bring, in octets; ``a_day`` is a provider's limit, ``today`` what is left of it today."""

    octets: int
    a_day: int | None = None
    today: int = 0

    def days(self, carried: int) -> int:
        """After how many more days it is through, for the limit's sake; 0 is today."""
        rest = self.octets - carried - max(0, self.today - carried)
        return -(-rest // self.a_day) if self.a_day and rest > 0 else 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """``at``: when all is through, if that can be told. ``slowest``: which mailbox its daily limit holds up longest."""

    carried: int
    of: int
    rate: float
    at: datetime | None
    slowest: str = ""


@dataclass(slots=True)
class Forecast:
    """Hears the events of a pass, from several threads; ``cutover`` is when the move is planned to turn the MX."""

    clock: Clock
    loads: Mapping[str, Load] = field(default_factory=dict)
    cutover: datetime | None = None
    _carried: dict[str, int] = field(default_factory=dict)
    _found: dict[str, int] = field(default_factory=dict)
    _through: set[str] = field(default_factory=set)
    _limited: set[str] = field(default_factory=set)
    _began: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, event: Event, /) -> None:
        """A mailbox has come on, or is through."""
        match event:
            case Progress():
                self._come_on(event)
            case MailboxThrough(outcome):
                self._end(outcome.address, limited=outcome.state == State.LIMITED)
            case _:
                pass

    def _come_on(self, progress: Progress) -> None:
        with self._lock:
            if progress.of_octets and self._began is None:
                self._began = self.clock.now()
            self._carried[progress.account] = progress.octets
            self._found[progress.account] = max(self._found.get(progress.account, 0), progress.of_octets)

    def _end(self, account: str, *, limited: bool) -> None:
        """A mailbox will not come on in this pass; ``limited``: for its daily limit, so that there is more to come."""
        with self._lock:
            self._through.add(account)
            self._limited.update({account} if limited else ())

    def outlook(self) -> Outlook | None:
        """As it looks now; None where nothing was measured, for what comes every day says nothing of what is left."""
        if not self.loads:
            return None
        with self._lock:
            now = self.clock.now()
            accounts = {*self.loads, *self._found}
            of = {a: max(self._found.get(a, 0), self.loads[a].octets if a in self.loads else 0) for a in accounts}
            carried = sum(self._carried.values())
            left = sum(of[a] - min(of[a], self._carried.get(a, 0)) for a in accounts - self._through)
            lasted = now - self._began if self._began else timedelta()
            rate = carried / lasted.total_seconds() if lasted >= _SURE_AFTER else 0.0
            waiting = self.loads.keys() - (self._through - self._limited)
            days = {a: self.loads[a].days(self._carried.get(a, 0)) for a in sorted(waiting)}
            slowest = max(days, key=lambda account: days[account], default="")
            at = now + timedelta(seconds=left / rate) if rate else now if not left else None
            if slowest and days[slowest]:
                midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
                at = max(at or now, midnight + timedelta(days=days[slowest]))
            else:
                slowest = ""
            return Outlook(carried, carried + left, rate, at, slowest)

    def words(self) -> str:
        """``all of it in about 2 h 05 min, 3 d 4 h before the planned cutover``; empty while it cannot be told."""
        found = self.outlook()
        now = self.clock.now()
        if found is None or found.at is None or found.at <= now:
            return ""
        text = f"all of it in about {span(found.at - now)}"
        if found.slowest:
            a_day = octets(self.loads[found.slowest].a_day or 0)
            text += f" ({found.slowest} needs until {moment(found.at)} at the provider's {a_day} a day)"
        return f"{text}{self._against_cutover(found.at)}"

    def data(self) -> dict[str, object]:
        """For programs; times in UTC."""
        found = self.outlook()
        if found is None:
            return {}
        margin = (self.cutover - found.at).total_seconds() if self.cutover and found.at else None
        return {
            "octets": found.carried,
            "of_octets": found.of,
            "octets_a_second": round(found.rate),
            "done_at": encoded(found.at),
            "cutover": encoded(self.cutover),
            "seconds_before_cutover": margin if margin is None else round(margin),
            "slowest": found.slowest or None,
        }

    def _against_cutover(self, at: datetime) -> str:
        if self.cutover is None:
            return ""
        if at <= self.cutover:
            return f", {span(self.cutover - at)} before the planned cutover"
        return f", {span(at - self.cutover)} AFTER the planned cutover of {moment(self.cutover)}"
