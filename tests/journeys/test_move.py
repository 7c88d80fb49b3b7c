"""The whole move with mail flowing: nothing is lost, nothing bounces, nothing comes twice."""

import os
import time

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import CHANGES, DONE, WAITING, Journey
from tests.journeys.reckoning import accepted, secrets_seen
from tests.lab.mail_lab import DOMAIN, NEW_HOST, PEOPLE, TTL_DURING
from tests.lab.sender import NUMBER

pytestmark = pytest.mark.daemon

MESSAGES = int(os.environ.get("MESSAGES", "1000"))
PACE = min(max(MESSAGES / 60, 20), 60)  # letters a second: what two cores carry beside the tool


def enter(move: Journey, stage: str) -> None:
    """Plan, apply, and plan once more: nothing is left to do."""
    move.edit(stage=stage)
    assert move.plan() in {CHANGES, WAITING}
    move.apply()
    assert move.plan() == DONE


def test_a_whole_move_loses_no_message(record_property) -> None:
    with Journey(MESSAGES, pace=PACE) as move:
        move.flow(0.1)
        enter(move, "prepare")
        move.flow(0.2)
        with move.flipping(on=True):
            enter(move, "overlap")
        move.traffic.new_is_open = True
        move.flow(0.35)
        assert not list(accepted(move.traffic.letters, "new", move.rules()))
        enter(move, "cutover")
        turned = time.time()  # noqa: TID251 - the servers' clock
        move.flow(0.6)
        for count, person in enumerate(PEOPLE):
            move.move_user(person)
            move.flow(0.6 + 0.05 * count)
        enter(move, "harden")
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"a whole move: {figures}")
        assert not figures.wrong
        assert figures.sent >= MESSAGES
        assert figures.forwarded > MESSAGES / 20
        assert not [trouble for letter in move.traffic.letters for trouble in letter.troubles]
        assert max(accepted(move.traffic.letters, "old", move.rules())) < turned + TTL_DURING + 1
        assert move.lab.unbound.looked_up(f"{DOMAIN}.", "MX") == {f"10 {NEW_HOST}."}
        assert complaints(move.lab.logs()) == ""
        assert secrets_seen(move.written() | move.lab.logs(), move.lab.secrets()) == []
        assert not move.seen_in_processes
        assert signed(move) > MESSAGES / 50


def signed(move: Journey) -> int:
    """How many letters the new server has signed, each of them with the key that the zone has."""
    name = f"new2026._domainkey.{DOMAIN}"
    (key,) = move.lab.bind.answers(f"{name}.", "TXT")
    zone = {name: key.replace('" "', "").strip('"')}
    written = [letter for letter in move.traffic.letters if letter.sender in PEOPLE]
    here = {str(letter.number) for letter in written if letter.accepted_by == move.lab.new.address}
    found = [stored for stored in move.lab.new.stored() if stored.headers.get(NUMBER) in here]
    assert all("s=new2026;" in stored.headers["DKIM-Signature"] for stored in found)
    said = move.lab.new.opendkim.verify(found[-1].file.read_bytes(), zone)
    assert said.endswith("succeeded"), said
    return len(found)
