"""Going back with mail flowing: in the middle of the cutover, and all the way."""

import time
from pathlib import Path

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import DONE, Journey
from tests.journeys.reckoning import accepted
from tests.lab.mail_lab import DOMAIN, NEW_HOST, OLD_HOST, PEOPLE, TTL_BEFORE

pytestmark = pytest.mark.daemon

MESSAGES = 400


def test_a_rollback_in_the_middle_of_the_cutover_loses_no_message(record_property) -> None:
    with Journey(MESSAGES) as move:
        move.reach("prepare")
        with move.flipping(on=True):
            move.reach("overlap")
        move.reach("cutover")
        move.traffic.new_is_open = True
        move.move_user(PEOPLE[0])
        move.flow(0.4)
        move.traffic.on_new.clear()
        move.traffic.new_is_open = False
        begun = len(move.said)
        with move.flipping([PEOPLE[0]], on=True):  # her forward comes back, too: it went after the cutover
            move.until_done("rollback", str(move.path), "--stage", "cutover", "--yes")
        back = "".join(move.said[begun:])
        assert "rollback to overlap" in back
        assert "rollback to prepare" not in back
        assert f"{NEW_HOST} -> 10 {OLD_HOST}" in back
        assert "copy back what came to the new server since the cutover" in back
        move.brought_back = True
        assert not move.missing("old", of="new")
        move.moved([PEOPLE[0]], moved=False)
        move.edit(stage="overlap")
        assert move.plan() == DONE
        turned_back = time.time()  # noqa: TID251 - the servers' clock
        move.flow(0.7)
        assert max(accepted(move.traffic.letters, "new", move.rules())) < turned_back + TTL_BEFORE
        move.reach("cutover")
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"back and forth: {figures}")
        assert not figures.wrong
        assert figures.by_server["new"] > MESSAGES / 10
        assert complaints(move.lab.logs()) == ""


def test_everything_is_taken_back_while_mail_flows(record_property) -> None:
    with Journey(MESSAGES // 2, ends_on="old") as move:
        before = {kind: file.read_text() for kind, file in files(move).items()}
        zone = served(move)
        move.reach("prepare")
        with move.flipping(on=True):
            move.reach("overlap")
        move.reach("cutover")
        move.flow(0.5)
        with move.flipping(on=False):
            move.until_done("rollback", str(move.path), "--all", "--yes")
        assert not move.missing("old", of="new")
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"all taken back: {figures}")
        assert not figures.wrong
        assert {kind: file.read_text() for kind, file in files(move).items()} == before
        assert served(move) == zone
        assert list(move.lab.new.stored())  # what had arrived there is still on its disk
        assert complaints(move.lab.logs()) == ""


def served(move: Journey) -> set[str]:
    """What the zone says of the things that a move touches, TTLs too."""
    names = ((DOMAIN, "MX"), (DOMAIN, "TXT"), (f"new2026._domainkey.{DOMAIN}", "TXT"), (f"_dmarc.{DOMAIN}", "TXT"))
    answers = [rrset for name, kind in names for rrset in move.lab.bind.ask(name, kind).answer]
    return {f"{rrset.name} {rrset.ttl} {rdata}" for rrset in answers for rdata in rrset}


def files(move: Journey) -> dict[str, Path]:
    new = move.lab.new
    return {
        "users": new.dovecot.users,
        "virtual": new.postfix.root / "virtual",
        "domains": new.postfix.root / "domains",
        "mailboxes": new.postfix.root / "mailboxes",
        "keys": new.opendkim.root / "KeyTable",
    }
