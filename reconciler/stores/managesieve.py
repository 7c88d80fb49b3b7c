"""Sieve scripts kept by a ManageSieve server: many mailboxes at once, each change whole or not at all.

Source: RFC 5804. The same script is meant as on disk: the active one or, where none is active, Roundcube's.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, TypeVar

from reconciler.errors import ObserveError, ReconcilerError, WriteError
from reconciler.extend import Context
from reconciler.formats.mail_server.sieve_text import problems
from reconciler.model.change import Change
from reconciler.resources.server.sieve import OWN_SCRIPT, SieveScript
from reconciler.stores.before import verify
from reconciler.transports.managesieve.options import ManageSieve
from reconciler.transports.managesieve.session import Listing, Lost, Refused, Session, enter

BATCH: Final = 50  # as many connections stay open, so that what was written can be put back when a later one fails
_ATTEMPTS: Final = 2  # a reading that was cut begins once more

T = TypeVar("T")
R = TypeVar("R")


class ManageSieveStore:
    """One script a mailbox. ``mailboxes`` gives those that the server has: only they are entered."""

    batch = BATCH

    def __init__(self, context: Context, server: ManageSieve, mailboxes: Callable[[], Collection[str]]) -> None:
        """Nothing is connected yet."""
        self._context = context
        self._server = server
        self._mailboxes = mailboxes

    def read(self, names: Collection[str] | None = None) -> Iterator[SieveScript]:
        """The active script of each, else the one that Roundcube would open; in the order of the names."""
        there = set(self._mailboxes())
        wanted = sorted(there if names is None else there & set(names))
        return iter([script for script in self._all(self._read_one, wanted) if script])

    def write(self, changes: Sequence[Change], /) -> None:
        """All mailboxes are entered, compared and judged before the first script is put; a failure takes all back."""
        missing = {change.address.name for change in changes} - set(self._mailboxes())
        for change in changes:
            if change.address.name in missing:
                raise WriteError(f"{change.address} cannot be written: there is no such mailbox. Nothing was written")
        tasks = [_Task(change) for change in changes]
        try:
            self._all(self._begin, tasks)
            verify(changes, {task.name: task.found for task in tasks if task.found}, self._server.where)
            self._all(self._judge, tasks)
            try:
                self._all(self._carry_out, tasks)
            except BaseException as error:  # Ctrl-C too
                self._take_back([task for task in tasks if task.touched], error)
                if isinstance(error, WriteError):
                    raise WriteError(f"{error} What stood before was put back; mend that and apply again") from error
                raise
        finally:
            for task in tasks:
                task.close()

    def _all(self, act: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """At the same time, as many as the options allow; an error ends what has not begun.

        The first goes ahead: a wrong password of an administrator is then refused once and not eight times, for each
        of which the server would make us wait longer.
        """
        first = [act(item) for item in items[:1]]
        with ThreadPoolExecutor(self._server.parallel) as pool:
            futures = [pool.submit(act, item) for item in items[1:]]
            try:
                return first + [future.result() for future in futures]
            finally:
                for future in futures:
                    future.cancel()

    def _enter(self, name: str) -> Session:
        return enter(self._server, self._context, name)

    def _read_one(self, name: str) -> SieveScript | None:
        for attempt in range(_ATTEMPTS):
            try:
                with closing(self._enter(name)) as session:
                    return self._standing(session, name)[0]
            except Refused as refused:
                raise self._unreadable(name, str(refused)) from refused
            except Lost as lost:
                if attempt + 1 == _ATTEMPTS:
                    raise self._unreadable(name, str(lost)) from lost
        raise AssertionError("the last attempt ends the loop")  # pragma: no cover

    def _standing(self, session: Session, name: str) -> tuple[SieveScript | None, Listing]:
        listing = session.list()
        script = listing.active or (OWN_SCRIPT if OWN_SCRIPT in listing.names else None)
        if script is None:
            return None, listing
        content, active = session.get(script), listing.active is not None
        return SieveScript(place=self._context.place, name=name, script=script, content=content, active=active), listing

    def _begin(self, task: "_Task") -> None:
        try:
            task.session = self._enter(task.name)
            task.found, task.listing = self._standing(task.session, task.name)
        except (ObserveError, Refused, Lost) as error:
            raise self._unwritable(task, f"{error}. Nothing was written") from error

    def _judge(self, task: "_Task") -> None:
        """What our library finds wrong counts only where the server cannot say: it knows more extensions."""
        after, session = task.after, task.session
        assert session is not None
        if after is None or (task.found and task.found.content == after.content and task.created is None):
            return
        if not after.script:
            raise self._unwritable(task, "a script needs a name. Nothing was written")
        if task.created is not None and task.created in task.listing.names:
            raise self._unwritable(
                task,
                f"there is a script {task.created!r} already, not active, and it may hold the user's rules; activate "
                "it or give it another name, then plan again. Nothing was written",
            )
        problem = problems(after.content)
        if problem and not session.checks:
            raise self._unwritable(task, f"the script is not sound ({problem}). Nothing was written")
        try:
            session.check(after.content)
            session.have_space(after.script, after.content)
        except (Refused, Lost) as refused:
            raise self._unwritable(
                task, f"the server does not take the script: {refused}. Nothing was written"
            ) from refused

    def _carry_out(self, task: "_Task") -> None:
        assert task.session is not None
        task.touched = True
        try:
            _write(task.session, task.found, task.after)
            stands = self._standing(task.session, task.name)[0]
        except Refused as refused:
            raise self._unwritable(task, f"{refused}.") from refused
        except Lost as lost:
            stands = self._read_back(task, lost)
        if stands != task.after:
            raise self._unwritable(task, "read back, it is not what was sent: something else writes it as well.")

    def _read_back(self, task: "_Task", lost: Lost) -> SieveScript | None:
        """After a connection was lost nobody but the server knows how far the change came."""
        try:
            task.close()
            task.session = self._enter(task.name)
            stands = self._standing(task.session, task.name)[0]
        except (ObserveError, Refused, Lost) as error:
            raise self._unwritable(task, f"{lost}, and it could not be read back: {error}.") from lost
        if stands != task.after:
            raise self._unwritable(task, f"{lost}, and read back, it did not happen.") from lost
        return stands

    def _take_back(self, tasks: Sequence["_Task"], error: BaseException) -> None:
        failures = [failure for failure in self._all(self._restore, tasks) if failure]
        if failures:
            raise WriteError(
                f"{error} And what had been written could not all be put back, so look at it by hand: "
                + " ".join(failures)
            ) from error

    def _restore(self, task: "_Task") -> str | None:
        """Bring the mailbox back to what stood before the change; says what stands in the way."""
        failure: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                task.session = task.session or self._enter(task.name)
                _put_back(task.session, task.found, task.created)
                if self._standing(task.session, task.name)[0] == task.found:
                    return None
            except Refused as refused:
                failure = refused
                break
            except (Lost, ReconcilerError) as lost:
                failure = lost
                task.close()
        return f"{task.name} on {self._server.where}: {failure or 'read back, it is not what stood before'}."

    def _unwritable(self, task: "_Task", why: str) -> WriteError:
        return WriteError(f"{task.change.address} on {self._server.where} could not be written: {why}")

    def _unreadable(self, name: str, why: str) -> ObserveError:
        return ObserveError(
            f"the Sieve scripts of {name} on {self._server.where} could not be read: {why}; see the server's log and "
            "plan again"
        )


@dataclass(slots=True)
class _Task:
    """One change on its way: the mailbox that is entered, and what was found there."""

    change: Change
    session: Session | None = None
    found: SieveScript | None = None
    listing: Listing = field(default_factory=lambda: Listing(frozenset(), None))
    touched: bool = False

    @property
    def name(self) -> str:
        """The mailbox."""
        return self.change.address.name

    @property
    def after(self) -> SieveScript | None:
        """What is wanted."""
        return self.change.after if isinstance(self.change.after, SieveScript) else None

    @property
    def created(self) -> str | None:
        """The name of a script that the change makes."""
        if self.after is None or (self.found and self.found.script == self.after.script):
            return None
        return self.after.script

    def close(self) -> None:
        """Leave the mailbox."""
        session, self.session = self.session, None
        if session:
            session.close()


def _write(session: Session, found: SieveScript | None, after: SieveScript | None) -> None:
    """A script is put before it becomes active, and goes after it is no longer."""
    if after is None:
        assert found is not None  # verified: an absent script is not removed
        if found.active:
            session.activate("")
        session.delete(found.script)
        return
    same = found if found and found.script == after.script else None
    if same is None or same.content != after.content:
        session.put(after.script, after.content)
    if after.active and not (same and same.active):
        session.activate(after.script)
    elif found and found.active and not after.active:
        session.activate("")


def _put_back(session: Session, before: SieveScript | None, created: str | None) -> None:
    """From wherever a change stopped."""
    listing = session.list()
    if before and (before.script not in listing.names or session.get(before.script) != before.content):
        session.put(before.script, before.content)
    active = before.script if before and before.active else ""
    if (listing.active or "") != active:
        session.activate(active)
    if created is not None and created in listing.names:
        session.delete(created)
