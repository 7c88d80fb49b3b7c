"""A mailbox is brought from one server to the other, as often as asked; what is there already costs next to nothing.

Every pass is the same: bulk, delta, final, straggler and back differ in direction, rules and time only. What was
copied is in the ledger before the next batch is sent, so a pass that ends anywhere is gone on with by the next one.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from threading import Lock
from typing import Final, NamedTuple

from reconciler.errors import CommandRefused, ConnectionCut, MailError, ProtocolBroken, SecretError
from reconciler.mailcopy.imap.accounts import Accounts, part_of
from reconciler.mailcopy.imap.awake import kept_awake
from reconciler.mailcopy.imap.folder_plan import folder_plan, marked
from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.lane import Lane
from reconciler.mailcopy.imap.mailbox_pass import GroupPass
from reconciler.mailcopy.imap.persistence import persist
from reconciler.mailcopy.imap.planning import Agenda, prepare
from reconciler.mailcopy.imap.session import Session, open_session
from reconciler.mailcopy.imap.sharing import is_much, next_of, shares, side_by_side
from reconciler.mailcopy.imap.standing import Watched
from reconciler.mailcopy.imap.stream import Stream
from reconciler.mailcopy.imap.survey import Survey, as_target, survey
from reconciler.mailcopy.imap.work import Work, groups
from reconciler.mailcopy.job import NO_PLAN, MailboxReport, Means, Progress, State
from reconciler.mailcopy.model.accounting import Fate, FolderAccount, Refusal, Tally
from reconciler.mailcopy.model.mapping import FolderPlan
from reconciler.mailcopy.model.refusal import fit_for_people
from reconciler.mailcopy.model.suspects import Side, Spot, Suspects
from reconciler.mailcopy.reporting import reported

_log: Final = logging.getLogger(__name__)


def copy_mailbox(copy: MailboxCopy, means: Means) -> MailboxReport:
    """One pass. It never raises for what a server does: the state says how it ended, the report what became of all.

    Raises:
        JournalError: the ledger cannot be written; without it nothing may be sent.

    """
    attempt = Attempt(copy, means)
    return reported(attempt, copy.key, means, lambda: persist(attempt, means))


_Pair = tuple[Session, Session]
"""The connections to the source and to the target."""


class _Looked(NamedTuple):
    side: Watched
    found: Survey


class Attempt:
    """A pass, from the logins to the account; run again after a lost connection it goes on where it was."""

    def __init__(self, copy: MailboxCopy, means: Means) -> None:
        """Nothing is opened yet. ``messages`` counts what was copied or recognised, over all attempts."""
        self._copy, self._means = copy, means
        self._accounts: dict[str, FolderAccount] = {}
        self._works: tuple[Work, ...] = ()
        self._octets = self._of_messages = self._of_octets = 0
        self.messages = 0
        self._counting = Lock()
        self._suspects = Suspects()
        self._given_up_before = 0
        self._earlier: dict[str, Tally] = {}
        self._serial: set[Side] = set()
        self.plan: FolderPlan = NO_PLAN
        self.refusals: tuple[Refusal, ...] = ()
        self.notes: tuple[str, ...] = ()

    def run(self) -> tuple[State, str]:
        """Everything once.

        Raises:
            MailError: it came to an end early.

        """
        self.say(State.LOOKING)
        with ExitStack() as stack:
            source, target = self._open(stack)
            here, there = marked(source.side.session, source.found), as_target(target.found)
            self.plan = folder_plan(self._copy, source.side.session, here, there, target.side.session)
            self.refusals = here.refusals
            agenda = prepare(self._copy, self._means, self.plan, source.side, here, target.side, there)
            self._keep_numbers()
            self.plan, self.notes, self._works = agenda.plan, agenda.notes, agenda.works
            self._accounts = {account.folder: account for account in agenda.accounts}
            limited = self._work(agenda, source.side.session, target.side.session)
            source.side.session.wire.leave()
            target.side.session.wire.leave()
        if limited:
            return State.LIMITED, "the volume that the provider allows a day is used up; the rest follows tomorrow"
        if self.refusals or any(account.unfinished for account in self.accounts()):
            return State.PARTLY, "some folders could not be copied to the end; the refusals say why"
        return State.DONE, ""

    @property
    def settled(self) -> int:
        """Messages and folders of which it is known what became of them."""
        ledger = self._means.ledger
        held = sum(ledger.counts(state.number).held for state in ledger.folders(self._copy.key).values())
        return held + self._suspects.given_up

    @property
    def given_up(self) -> tuple[int, bool]:
        """Messages given up since the last one got through, and whether any has."""
        return self._suspects.given_up - self._given_up_before, self.messages > 0

    @property
    def _others_passed(self) -> bool:
        """Whether any message has got through, in this pass or before."""
        ledger = self._means.ledger
        states = ledger.folders(self._copy.key).values()
        return self.messages > 0 or any(ledger.counts(state.number).fates.get(Fate.COPIED, 0) for state in states)

    def learn(self, error: ConnectionCut | CommandRefused | ProtocolBroken) -> bool:
        """Take the end of a connection as evidence; True if it tells something about what was on the wire."""
        spot = error.spot
        if not isinstance(spot, Spot):
            return False
        sent_ahead = isinstance(error, ProtocolBroken) or (isinstance(error, ConnectionCut) and error.unheard)
        if sent_ahead and spot.side not in self._serial:
            self._serial.add(spot.side)  # one command at a time tells whether it was that
            return True
        self._suspects.blame(spot, fit_for_people(error.words) or str(error))
        return True

    def accounts(self) -> tuple[FolderAccount, ...]:
        """Of each source folder that was looked at, by name; those that were not come to the end of, too."""
        ends = {
            work.title: part_of(work, self._means.ledger) for work in self._works if work.title not in self._accounts
        }
        found = {**ends, **self._accounts}
        return tuple(self._whole_pass(found[title]) for title in sorted(found))

    def _keep_numbers(self) -> None:
        """What this attempt has brought counts for the pass, when the next one begins."""
        for work in self._works:
            brought = part_of(work, self._means.ledger).tally
            only = Tally(new=brought.new, recognised=brought.recognised, octets=brought.octets)
            self._earlier[work.title] = self._earlier.get(work.title, Tally()) + only

    def _whole_pass(self, account: FolderAccount) -> FolderAccount:
        """With what earlier attempts of this pass have brought."""
        earlier = self._earlier.get(account.folder, Tally())
        return replace(account, tally=account.tally + earlier)

    def say(self, state: State, folder: str = "", words: str = "") -> None:
        """Tell how far it is."""
        of_messages, of_octets = max(self._of_messages, self.messages), max(self._of_octets, self._octets)
        account, octets = self._copy.key.account, self._octets
        self._means.events.tell(Progress(account, state, folder, self.messages, octets, of_messages, of_octets, words))

    def _open(self, stack: ExitStack) -> tuple[_Looked, _Looked]:
        """Both sides at once: each takes some round trips of its own."""
        with ThreadPoolExecutor(max_workers=1) as other:
            looking: Future[_Looked] = other.submit(self._look, self._copy.target, Side.TARGET, stack)
            source = self._look(self._copy.source, Side.SOURCE, stack)
            return source, looking.result()

    def _look(self, endpoint: Endpoint, side: Side, stack: ExitStack) -> _Looked:
        watched = Watched(self._open_wire(endpoint, side, stack), self._suspects)
        return _Looked(watched, survey(watched.session, self._suspects))

    def _open_wire(self, endpoint: Endpoint, side: Side, stack: ExitStack) -> Session:
        session = replace(open_session(endpoint.server, endpoint.login), side=side)
        session.wire.serial = side in self._serial
        stack.callback(session.wire.close)
        return session

    def _work(self, agenda: Agenda, source: Session, target: Session) -> bool:
        """All groups of folders; True if the day's volume ended it.

        What labels tell and what a day allows is counted from folder to folder, so then there is no second pair.
        """
        self._of_messages, self._of_octets = self.messages, self._octets
        in_order = agenda.labels is not None or self._left_today() is not None
        steps = GroupPass(self._copy, source, target, self._means.ledger, agenda=agenda, suspects=self._suspects)
        accounts = Accounts(self._copy, source, target, self._means.ledger)
        limited = False
        for group in groups(agenda.works):
            with self._second_pair([] if in_order else group) as second:
                with kept_awake(target):
                    steps.look(group)
                steps.meet(group)
                for number in (number for work in group for number in agenda.doubts.get(work.state.number, ())):
                    self._means.ledger.drop(number)
                self.messages += sum(work.recognised for work in group)
                self._of_messages = self.messages + sum(len(work.missing) for work in group)
                self._of_octets = self._octets + sum(row.size for work in group for row in work.missing)
                try:
                    limited = limited or self._bring(group, steps, (source, target), second)
                finally:
                    self._spend(group)
            for work in group:
                steps.follow_flags(work)
                passed = not work.given_up or self._others_passed
                self._accounts[work.title] = accounts.of(work, limited=limited, others_passed=passed)
        return limited

    @contextmanager
    def _second_pair(self, works: Sequence[Work]) -> Iterator[Future[_Pair] | None]:
        """Two more connections, being opened while the first two look; None where they do not pay or may not be had."""
        with self._means.second() if is_much(works) else nullcontext(False) as may_open, ExitStack() as stack:
            if not may_open:
                yield None
                return
            with ThreadPoolExecutor(max_workers=2) as threads:
                target = threads.submit(self._open_wire, self._copy.target, Side.TARGET, stack)
                source = self._copy.source
                yield threads.submit(lambda: (self._open_wire(source, Side.SOURCE, stack), target.result()))

    def _bring(self, works: list[Work], steps: GroupPass, first: _Pair, second: Future[_Pair] | None) -> bool:
        """Bring over what is missing; True if the day's volume ended it."""
        left = deque(shares(works) if second else [works])
        wires = [session.wire for session in first]

        def bring(source: Session, target: Session) -> bool:
            limited = False
            while share := next_of(left):
                lanes = {work.mapped.source.raw: work.lane for work in share if work.lane}
                ledger, paces = self._means.ledger, self._means.paces
                stream = Stream(
                    source, target, ledger,
                    lanes=lanes, moved=self._moved, paces=paces, date_from_header=self._copy.rules.date_from_header,
                )  # fmt: skip
                limited = steps.copy_missing(share, stream, self._left_today()) or limited
            return limited

        def help_with(pair: Future[_Pair]) -> bool:
            try:
                source, target = pair.result()
            except (MailError, SecretError) as error:
                _log.info("%s: the first pair of connections brings it all: %s", self._copy.key.account, error)
                return False
            wires.extend((source.wire, target.wire))
            limited = bring(source, target)
            source.wire.leave()
            target.wire.leave()
            return limited

        def stop() -> None:
            left.clear()
            for wire in wires:
                wire.hang_up()

        if second is None or len(left) == 1:
            return bring(*first)
        return side_by_side(lambda: bring(*first), lambda: help_with(second), stop)

    def _moved(self, lane: Lane, messages: int, octets: int) -> None:
        with self._counting:  # told inside of it, so that no pair's numbers overtake the other's
            self.messages += messages
            self._octets += octets
            self._given_up_before = self._suspects.given_up
            self.say(State.COPYING, lane.title)

    def _left_today(self) -> int | None:
        """Octets that the day still allows."""
        limits = (self._copy.source.server.limits.octets_a_day, self._copy.target.server.limits.octets_a_day)
        bounds = [limit for limit in limits if limit is not None]
        return max(0, min(bounds) - self._means.ledger.spent(self._copy.key)) if bounds else None

    def _spend(self, group: list[Work]) -> None:
        octets = sum(work.lane.octets for work in group if work.lane)
        if octets:
            self._means.ledger.spend(self._copy.key, octets)
