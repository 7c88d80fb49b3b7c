from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.lab.dovecot import Dovecot

_USERS = [f"user{number}" for number in range(1, 100)]
_numbers = count()


def _server(name: str, **options: Any) -> Iterator[Dovecot]:
    """With all its accounts from the start: Dovecot looks at its passwd-file once a second only."""
    server = Dovecot(name, **options)
    for user in _USERS:
        server.add_user(user)
    yield server.start()
    server.remove()


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    yield from _server("files-old", separator=".")


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    yield from _server("files-new")


@pytest.fixture
def user() -> str:
    """An account on both servers that no other test uses."""
    return _USERS[next(_numbers)]
