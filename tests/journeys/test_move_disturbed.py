"""What else happens on the day of a move: a second person applies, somebody edits by hand, a server goes down."""

import json
import time

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import DONE, FAILED, STALE, Journey
from tests.lab.mail_lab import DOMAIN, PEOPLE

pytestmark = pytest.mark.daemon

MESSAGES = 250
OWN_RULE = '# rule:[Lists]\r\nif header :contains "list-id" "x"\r\n{\r\n\tfileinto "Lists";\r\n}\r\n'


def test_of_two_who_apply_at_once_the_second_is_refused(record_property) -> None:
    with Journey(MESSAGES) as move:
        reload = move.lab.new.opendkim.reload
        go = move.lab.folder / "go"  # the first is at work until it is there
        reload.write_text(f"{reload.read_text()}while [ ! -e {go} ]; do sleep 0.1; done\n")
        first = move.start("apply", str(move.path), "--yes", "--json")
        assert first.stdout
        while json.loads(first.stdout.readline())["event"] != "begun":
            pass
        code, said = move.run("apply", str(move.path), "--yes")
        go.touch()
        assert move.ended(first)[0] == DONE
        assert code == FAILED
        assert "another" in said
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"two at once: {figures}")
        assert not figures.wrong


def test_what_is_edited_by_hand_in_between_is_not_overwritten(record_property) -> None:
    with Journey(MESSAGES) as move:
        move.reach("prepare")
        move.edit(stage="overlap")
        saved = str(move.lab.folder / "reviewed.plan.json")
        move.run("plan", str(move.path), "--out", saved)
        move.lab.bind.nsupdate(f'update add {DOMAIN}. 4 TXT "added-by=an-administrator"')
        bob = PEOPLE[1]
        script = move.lab.new.dovecot.put_script(bob, "roundcube", f'require ["fileinto"];\r\n{OWN_RULE}')
        code, said = move.run("apply", str(move.path), "--plan", saved)
        assert code == STALE, said
        assert "the approved plan is not what would be done now" in said
        assert '"added-by=an-administrator"' in move.lab.bind.answers(f"{DOMAIN}.", "TXT")
        assert "redirect" not in script.read_text()
        with move.flipping(on=True):
            move.reach("overlap")
        texts = move.lab.bind.answers(f"{DOMAIN}.", "TXT")
        assert {'"added-by=an-administrator"', '"site-verification=4711"'} < texts
        assert any(move.lab.new.address in text for text in texts)
        merged = script.read_bytes().decode()
        assert OWN_RULE in merged
        assert "redirect :copy" in merged
        move.reach("cutover")
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"edited by hand: {figures}")
        assert not figures.wrong
        assert figures.forwarded
        assert complaints(move.lab.logs()) == ""


def test_while_a_name_server_is_down_nothing_is_turned_and_mail_flows(record_property) -> None:
    with Journey(MESSAGES) as move:
        move.reach("prepare")
        with move.flipping(on=True):
            move.reach("overlap")
        move.edit(stage="cutover")
        move.lab.nsd.stop()
        code, said = move.run("apply", str(move.path), "--yes")
        assert code == FAILED
        assert move.lab.nsd.where in said
        assert move.lab.bind.answers(f"{DOMAIN}.", "MX") == {"10 mail.old.example."}
        move.flow(0.5)
        move.lab.nsd.start(move.lab.bind, move.lab.key)
        move.reach("cutover")
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"name server down: {figures}")
        assert not figures.wrong
        assert figures.by_server["new"]


def test_mail_waits_while_the_new_server_restarts_in_the_middle(record_property) -> None:
    with Journey(MESSAGES) as move:
        move.reach("prepare")
        with move.flipping(on=True):
            move.reach("overlap")
        move.reach("cutover")
        move.flow(0.6)
        move.interrupted = True
        move.lab.new.stop()
        move.flow(0.8)
        time.sleep(2)  # so that the sender's retries are felt
        move.lab.new.start()
        move.move_user(PEOPLE[0])
        move.flow(1)
        figures = move.reckoned()
        record_property("figures", f"new server restarted: {figures}")
        assert not figures.wrong
        assert figures.retried
