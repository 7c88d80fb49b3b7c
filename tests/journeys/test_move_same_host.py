"""The mail host keeps its name: the cutover turns its address, and the MX is never touched."""

import pytest

from tests.journeys.complaints import complaints
from tests.journeys.journey import Journey
from tests.lab.mail_lab import DOMAIN, PEOPLE

pytestmark = pytest.mark.daemon

MESSAGES = 300


def test_a_host_that_keeps_its_name_moves_by_its_address(record_property) -> None:
    with Journey(MESSAGES, same_host=True) as move:
        exchanges = move.lab.bind.answers(f"{DOMAIN}.", "MX")
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
        record_property("figures", f"same host name: {figures}")
        assert not figures.wrong
        assert figures.by_server["new"]
        assert move.lab.bind.answers(f"{DOMAIN}.", "MX") == exchanges
        assert move.lab.unbound.looked_up(f"mail.{DOMAIN}.", "A") == {move.lab.new.address}
        assert complaints(move.lab.logs()) == ""
