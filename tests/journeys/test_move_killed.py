"""The tool is killed at random steps, and applied again: the journey is the same."""

import json
import random

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import DONE, GOES_ON, Journey
from tests.lab.mail_lab import PEOPLE

pytestmark = pytest.mark.daemon

MESSAGES = 300
KILLS = 4  # a stage
HUNG_UP = r"Disconnected: Connection closed: read\(size=\d+\) failed: Connection reset by peer"
"""Dovecot of a client that was killed before it had read all."""


def killed_after(move: Journey, events: int) -> bool:
    """Apply, and kill it -9 as soon as it has told of so many steps; whether it lived so long."""
    process = move.start("apply", str(move.path), "--yes", "--json")
    assert process.stdout
    told = 0
    lines = []
    for line in process.stdout:
        lines.append(line)
        told += json.loads(line)["event"] in {"begun", "done"}
        if told == events:
            process.kill()
            break
    code, said = move.ended(process)
    assert told == events or code in {DONE, *GOES_ON}, f"{code}: {lines} {said}"
    return told == events


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_steps_it_reaches_the_same_end(record_property, seed) -> None:
    chance = random.Random(seed)
    kills = 0
    with Journey(MESSAGES) as move:
        for stage in ("prepare", "overlap", "cutover", "harden"):
            move.edit(stage=stage)
            if stage == "harden":
                move.moved(PEOPLE)
                move.traffic.on_new |= set(PEOPLE)
            with move.flipping(PEOPLE if stage in {"overlap", "harden"} else (), on=stage == "overlap"):
                in_a_row = 0
                while in_a_row < KILLS and killed_after(move, chance.randint(1, 4)):
                    in_a_row += 1
                move.apply()
            kills += in_a_row
            assert move.plan() == DONE
            move.flow({"prepare": 0.2, "overlap": 0.4, "cutover": 0.7, "harden": 1}[stage])
        figures = move.reckoned()
        record_property("figures", f"killed {kills} times: {figures}")
        assert kills >= KILLS
        assert not figures.wrong
        assert complaints(move.lab.logs(), HUNG_UP) == ""
