from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from reconciler.journal.journal import DatabaseJournal
from reconciler.journal.open import open_journal
from reconciler.resources.server.mailbox import Mailbox
from tests.support.clock import FakeClock
from tests.support.moves import DOMAIN

Opening = Callable[..., DatabaseJournal]
Elsewhere = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "migration.journal"


@pytest.fixture
def opened(place: Path, clock: FakeClock) -> Iterator[Opening]:
    """Opens the journal as one more process would."""
    with ExitStack() as stack:
        yield lambda domain=DOMAIN, at=clock: stack.enter_context(open_journal(place, domain, {"mailbox": Mailbox}, at))


@pytest.fixture
def journal(opened: Opening) -> Iterator[DatabaseJournal]:
    """Open, and its lock held."""
    journal = opened()
    with journal.lock:
        yield journal


@pytest.fixture
def elsewhere() -> Elsewhere:
    """Entered for what is done on another machine, of whose processes nobody here can tell whether they live."""

    @contextmanager
    def on_another_machine() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("reconciler.transports.process.machine", lambda: "another-boot pid:[4026531836]")
            yield

    return on_another_machine
