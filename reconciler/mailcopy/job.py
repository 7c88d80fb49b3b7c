"""What every copy of a mailbox is asked, whatever its ends are, and what it tells back."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally, total
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.mapping import FolderPlan, FolderRules
from reconciler.mailcopy.pace import Pace
from reconciler.model.event import NOBODY, Event, Events

if TYPE_CHECKING:
    from reconciler.mailcopy.ports import MailLedger  # brings pydantic with it, which takes longer than many a pass
    from reconciler.ports import Clock  # brings pydantic with it, which takes longer than many a pass


@dataclass(frozen=True, slots=True)
class Rules:
    """What the spec says about one mailbox.

    ``follow_flags`` until the user has moved; from then on the target's flags win. ``since``: messages that arrived
    on the source before are excluded (the way back after a cutover brings only what came since). ``may_be_empty``: an
    administrator's login that sees no mail is right. ``retry_refused``: try those again that a server refused.
    ``every_label``: from Gmail, a message with several labels is copied into the folder of each.
    ``date_from_header``: a message arrives on the target when its Date header says, for the source's own dates say
    nothing. ``unstable_approved``: a source that shows another text of a message at each reading is right.
    """

    folders: FolderRules = field(default_factory=FolderRules)
    follow_flags: bool = True
    since: datetime | None = None
    may_be_empty: bool = False
    retry_refused: bool = False
    every_label: bool = False
    date_from_header: bool = False
    unstable_approved: bool = False


class State(StrEnum):
    """Where the copy of a mailbox stands."""

    LOOKING = "looking"
    COPYING = "copying"
    WAITING = "waiting"  # a server asked for a pause
    DONE = "done"
    PARTLY = "done in part"  # a folder would not take or give anything; the others are done
    FULL = "over quota"
    LIMITED = "daily limit"
    AUTH_LOST = "auth lost"
    SUSPECT = "looks empty"
    HELD = "held by another run"
    GIVEN_BACK = "given back"  # to a run that needs the mailbox; the next pass goes on
    FAILED = "failed"


UNDER_WAY: Final = (State.LOOKING, State.COPYING, State.WAITING)
"""The states of a mailbox whose pass is not over."""


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """A sign of life: numbers of this pass so far, and of all it has to do as far as it knows."""

    account: str
    state: State
    folder: str = ""
    messages: int = 0
    octets: int = 0
    of_messages: int = 0
    of_octets: int = 0
    words: str = ""


NO_PLAN = FolderPlan((), ())
"""Of a mailbox that could not be looked at."""


@dataclass(frozen=True, slots=True)
class MailboxReport:
    """One mailbox after a pass; ``words`` say why it did not get to the end, if so.

    ``notes``: what people should know of the whole mailbox, though no mail is missing by it; folders have their own.
    """

    key: CopyKey
    state: State
    began: datetime
    ended: datetime
    accounts: tuple[FolderAccount, ...] = ()
    plan: FolderPlan = NO_PLAN
    words: str = ""
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def tally(self) -> Tally:
        """Over all folders."""
        return total(self.accounts)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the copy holds out.

    ``attempts``: failures in a row without a message copied. ``settle``: how long a server may still be storing a
    batch whose answer was lost.
    """

    attempts: int = 5
    settle: timedelta = timedelta(seconds=10)


_UNBOUND = Pace(None)


@dataclass(frozen=True, slots=True)
class Means:
    """What a pass works with; ``paces`` are the source's and the target's, shared by all mailboxes.

    ``events`` hear a Progress now and then, from several threads; an exception that it raises ends the mailbox between
    two batches.
    ``holding`` is entered with the name of a mailbox for the time of the work on it, and tells who else works on it; an
    event then may raise ``GiveBack``.
    ``second`` tells whether each server has room for one more connection of a mailbox, and keeps it until it is left.
    """

    ledger: "MailLedger"
    clock: "Clock"
    events: Events = NOBODY
    paces: tuple[Pace, Pace] = (_UNBOUND, _UNBOUND)
    patience: Patience = field(default_factory=Patience)
    sleep: Callable[[float], None] = time.sleep
    holding: Callable[[str], AbstractContextManager[str]] = lambda _: nullcontext("")
    second: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(False)
