import pytest


@pytest.fixture
def lab():
    """Whatever daemons a test gives it are gone afterwards."""
    daemons = []

    def keep(daemon):
        daemons.append(daemon)
        return daemon

    yield keep
    for daemon in daemons:
        daemon.remove()
