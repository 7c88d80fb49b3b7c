from collections.abc import Iterator

import pytest

from tests.lab.dovecot import Dovecot
from tests.mailcopy.servers import dovecot


@pytest.fixture(scope="session")
def old() -> Iterator[Dovecot]:
    yield from dovecot("files-old", separator=".")


@pytest.fixture(scope="session")
def new() -> Iterator[Dovecot]:
    yield from dovecot("files-new")
