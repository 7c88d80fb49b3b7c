from pathlib import Path

import pytest

from reconciler.spec.owner_only import complaint


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o100600])
def test_a_file_of_its_owner_alone_may_hold_secrets(mode: int):
    assert complaint(Path("x"), mode) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o100644])
def test_a_file_open_to_others_is_answered_with_the_command_that_mends_it(mode: int):
    said = complaint(Path("my users.csv"), mode)
    assert said is not None
    assert said.endswith("run: chmod 600 'my users.csv'")
    assert f"{mode & 0o777:04o}" in said
