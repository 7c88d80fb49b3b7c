from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock
from tests.mailcopy.servers import USERS, dovecot

_numbers = count()


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    yield from dovecot("old", separator=".")


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    yield from dovecot("new", special_use=True)


@pytest.fixture
def user() -> str:
    """An account on both servers that no other test uses."""
    return USERS[next(_numbers)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = SqlLedger(f"sqlite:///{tmp_path}/mail.db", RealClock())
    yield opened
    opened.close()
