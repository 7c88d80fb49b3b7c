"""Both servers behind SSH, Sieve scripts over ManageSieve: a move whose tool shares no disk with the servers."""

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import Journey
from tests.journeys.reckoning import secrets_seen
from tests.lab.dovecot import MASTER
from tests.lab.mail_lab import PEOPLE
from tests.lab.patience import PATIENCE
from tests.lab.sshd import Sshd

pytestmark = pytest.mark.daemon

MESSAGES = 250


def test_a_move_between_two_servers_over_ssh_loses_no_message(record_property) -> None:
    sshd = Sshd().start()
    try:
        with Journey(MESSAGES) as move:
            sieve = {
                "host": "127.0.0.1",
                "port": move.lab.new.dovecot.sieve_port,
                "tls_name": "localhost",
                "ca_file": str(move.lab.new.root / "cert.pem"),
                "master_user": MASTER[0],
                "master_password": move.spec["copy"]["new"]["password"],
            }
            for side in ("old", "new"):
                move.spec[side]["options"]["ssh"] = sshd.ssh(timeout=PATIENCE, command_timeout=PATIENCE).model_dump(
                    mode="json", exclude_none=True
                )
            move.spec["new"]["options"]["managesieve"] = sieve
            move.reach("prepare")
            with move.flipping(on=True):
                move.reach("overlap")
            move.flow(0.4)
            move.reach("cutover")
            move.flow(0.7)
            move.traffic.on_new |= set(PEOPLE)
            move.moved(PEOPLE)
            with move.flipping(on=False):
                move.reach("harden")
            move.flow(1)
            figures = move.reckoned()
            record_property("figures", f"over SSH: {figures}")
            assert not figures.wrong
            assert figures.forwarded
            assert complaints(move.lab.logs() | {"sshd": sshd.log()}) == ""
            seen = move.written() | move.lab.logs() | {"sshd": sshd.log()}
            assert secrets_seen(seen, move.lab.secrets()) == []
            assert not move.seen_in_processes
    finally:
        sshd.remove()
