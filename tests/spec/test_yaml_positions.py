from pathlib import Path

import pytest

from reconciler.spec.yaml_document import compose
from reconciler.spec.yaml_positions import Positions

TEXT = """\
old:
  mx:
    - 10 a.x
mailboxes:
  - address: a@b
    moved:
hosts: {h: {old: [x]}}
"""


@pytest.fixture
def positions() -> Positions:
    return Positions(compose(TEXT, Path("x")))


@pytest.mark.parametrize(
    ("loc", "place", "rest"),
    [
        ((), (1, 1), ()),
        (("old", "mx", 0), (3, 7), ()),
        (("old", "mx", 0, "exchange"), (3, 7), ("exchange",)),
        (("old", "mx", 7), (3, 5), (7,)),
        (("mailboxes", 0, "address"), (5, 14), ()),
        (("mailboxes", 0, "quota"), (5, 5), ("quota",)),
        (("hosts", "h", "[key]"), (7, 9), ("[key]",)),
        (("hosts", "h", "branch", "old", 0), (7, 19), ("branch",)),
    ],
)
def test_a_loc_leads_to_the_deepest_node_that_the_text_has(positions: Positions, loc, place, rest):
    spot = positions.find(loc)
    assert (spot.line, spot.column) == place
    assert spot.rest == rest
    assert spot.path == tuple(step for step in loc if step not in rest)


def test_the_key_of_an_entry_is_found(positions: Positions):
    spot = positions.find(("mailboxes", 0, "address"), key=True)
    assert (spot.line, spot.column) == (5, 5)


def test_what_has_no_value_is_empty(positions: Positions):
    assert positions.find(("mailboxes", 0, "moved")).empty
    assert not positions.find(("mailboxes", 0, "address")).empty
    assert not positions.find(("mailboxes", 0)).empty
