from functools import partial

import pytest

from tests.backends.server.world import World


@pytest.fixture
def world(tmp_path):
    """``world(users=…, virtual=…, **options)`` lays the files out in the test's folder."""
    return partial(World, tmp_path)
