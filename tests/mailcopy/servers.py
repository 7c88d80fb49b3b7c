"""Servers whose accounts are there from the start: Dovecot looks at its passwd-file once a second only."""

from collections.abc import Iterator
from typing import Any, Final

from tests.lab.dovecot import Dovecot

USERS: Final = tuple(f"user{number}" for number in range(400))
"""One for each test, see the fixture ``user``."""

FLEET: Final = tuple(f"fleet{number}" for number in range(6))
"""For the tests of many mailboxes at once."""


def dovecot(name: str, **options: Any) -> Iterator[Dovecot]:
    """For a fixture: it runs until the tests of its scope are through."""
    server = Dovecot(name, **options)
    for user in (*USERS, *FLEET):
        server.add_user(user)
    yield server.start()
    server.remove()
