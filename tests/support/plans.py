"""Plans for tests of how they are shown, saved and closed."""

from datetime import timedelta
from typing import Any

from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.plan import Plan, Step
from reconciler.model.reference import reference
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from reconciler.model.verdict import RUN, Status, Verdict
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from tests.support.clock import MONDAY_MORNING

TOMORROW = MONDAY_MORNING + timedelta(days=1)
MX_LONG = RRset.of("example.org", "MX", 86400, "10 mx.old.example.")
MX_SHORT = RRset.of("example.org", "MX", 300, "10 mx.old.example.")
MX_NEW = RRset.of("example.org", "MX", 300, "10 mx.new.example.")
KEY = Address(Place.NEW, "dkim_key", "s2._domainkey.example.org")
KEY_RECORD = RRset.of("s2._domainkey.example.org", "TXT", 300, reference(KEY))
WAIT = Verdict(Status.WAIT, "caches may hold the old MX", TOMORROW)
BY_HAND = Verdict(Status.BY_HAND, "by hand on a server in memory")


def mailbox(name: str, **fields: Any) -> Mailbox:
    return Mailbox(place=Place.NEW, name=f"{name}@example.org", **fields)


def alias(name: str, *targets: str) -> Alias:
    return Alias(place=Place.NEW, name=f"{name}@example.org", targets=frozenset(targets))


def step(
    number: int,
    stage: Stage,
    before: Resource | None,
    after: Resource | None,
    verdict: Verdict = RUN,
    *,
    note: str = "",
) -> Step:
    return Step(number, stage, Change(before, after), (), verdict, note)


def plan(*steps: Step, stage: Stage = Stage.CUTOVER, **fields: Any) -> Plan:
    return Plan("example.org", stage, MONDAY_MORNING, "0" * 64, steps, **fields)


def mixed(**fields: Any) -> Plan:
    """One step of every verdict, over three stages."""
    return plan(
        step(1, Stage.PREPARE, None, mailbox("ann", display_name="Ann", password="keep:ann@example.org")),
        step(
            2,
            Stage.PREPARE,
            None,
            alias("info", "ann@example.org"),
            BY_HAND,
            note=f"{BY_HAND.why}: add alias info@example.org with targets ann@example.org",
        ),
        step(3, Stage.OVERLAP, MX_LONG, MX_SHORT),
        step(4, Stage.OVERLAP, None, KEY_RECORD, Verdict(Status.BLOCKED, "the selector is taken")),
        step(5, Stage.CUTOVER, MX_SHORT, MX_NEW, WAIT),
        **fields,
    )
