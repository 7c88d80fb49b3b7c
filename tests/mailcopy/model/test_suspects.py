"""A server that hangs up at some messages is played here: the others all come, and only these are given up."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.mailcopy.model.message import Row
from reconciler.mailcopy.model.suspects import Side, Spot, Suspects

WORK = b"Work"


def row(uid: int) -> Row:
    return Row(uid, "", "", 1)


def attempts(poison: set[int], held: range, batch: int, *, brings_first: bool) -> tuple[set[int], set[int], int]:
    """What came, what was given up, and how many connections ended."""
    suspects = Suspects()
    came: set[int] = set()
    for cuts in range(2000):
        left = [row(uid) for uid in held if uid not in came and uid not in suspects.refused.get(WORK, {})]
        together, alone = suspects.parted(WORK, left)
        for job in [*(together[start : start + batch] for start in range(0, len(together), batch)), *alone]:
            uids = [each.uid for each in job]
            bad = next((uid for uid in uids if uid in poison), None)
            if bad is None:
                came.update(uids)
                continue
            if brings_first:
                came.update(uid for uid in uids if uid < bad)
            suspects.blame(Spot(Side.SOURCE, WORK, tuple(uid for uid in uids if uid not in came)), "BYE")
            break
        else:
            return came, set(suspects.refused.get(WORK, {})), cuts
    raise AssertionError("no end")


@given(st.sets(st.integers(1, 60), max_size=8), st.sampled_from([1, 7, 60]), st.booleans())
def test_just_the_messages_that_end_the_connection_are_given_up(poison, batch, brings_first) -> None:
    came, given_up, cuts = attempts(poison, range(1, 61), batch, brings_first=brings_first)
    assert given_up == poison
    assert came == set(range(1, 61)) - poison
    assert cuts <= 12 * len(poison)


def test_one_cut_is_no_evidence_against_anything() -> None:
    suspects = Suspects()
    suspects.blame(Spot(Side.SOURCE, WORK, (1, 2, 3)), "BYE")
    assert not suspects.refused
    assert suspects.parted(WORK, [row(1), row(2), row(3), row(4)]) == ([row(4)], [(row(1), row(2), row(3))])


def test_an_answer_bad_to_one_message_is_enough() -> None:
    suspects = Suspects()
    suspects.blame(Spot(Side.TARGET, WORK, (7,), certain=True), "Command Argument Error. 11")
    assert suspects.refused == {WORK: {7: "the target: Command Argument Error. 11"}}


def test_a_folder_that_ends_the_connection_twice_is_left_alone() -> None:
    suspects = Suspects()
    suspects.blame(Spot(Side.SOURCE, WORK), "BYE")
    assert suspects.is_suspect(Side.SOURCE, WORK)
    assert not suspects.against(Side.SOURCE, WORK)
    suspects.blame(Spot(Side.SOURCE, WORK), "closed. 14")
    assert suspects.against(Side.SOURCE, WORK) == "it ends the connection: closed. 14"
    assert not suspects.is_suspect(Side.TARGET, WORK)


def test_what_has_ended_fewer_connections_comes_first() -> None:
    suspects = Suspects()
    suspects.blame(Spot(Side.SOURCE, WORK, (1, 2, 3, 4)), "BYE")
    suspects.blame(Spot(Side.SOURCE, WORK, (1, 2, 3, 4)), "BYE")
    suspects.blame(Spot(Side.SOURCE, WORK, (1, 2)), "BYE")
    groups = suspects.parted(WORK, [row(uid) for uid in (1, 2, 3, 4)])[1]
    assert [tuple(each.uid for each in group) for group in groups] == [(1,), (2,), (3, 4)]
