import pytest

from reconciler.app.move import Move
from tests.support.clock import FakeClock
from tests.support.walk import EXAMPLES, NAMES, ON_THE_NETWORK


@pytest.mark.parametrize("name", NAMES + ON_THE_NETWORK)
def test_the_spec_of_an_example_is_sound_with_the_options_of_its_backends(name: str) -> None:
    move = Move.load(EXAMPLES / name / "migration.yaml", FakeClock())
    assert move.spec.domain == "example.org"
    assert move.spec.mailboxes


@pytest.mark.parametrize("name", NAMES + ON_THE_NETWORK)
def test_an_example_says_in_words_what_it_shows(name: str) -> None:
    assert len((EXAMPLES / name / "README.md").read_text()) > 200
