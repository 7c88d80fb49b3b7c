from collections.abc import Iterator
from typing import Protocol, TypeVar

import pytest

from tests.lab.dns_daemon import DnsDaemon

Daemon = TypeVar("Daemon", bound=DnsDaemon)


class Keep(Protocol):
    def __call__(self, daemon: Daemon, /) -> Daemon: ...


@pytest.fixture
def lab() -> Iterator[Keep]:
    """Whatever daemons a test gives it are gone afterwards."""
    daemons: list[DnsDaemon] = []

    def keep(daemon: Daemon, /) -> Daemon:
        daemons.append(daemon)
        return daemon

    yield keep
    for daemon in daemons:
        daemon.remove()
