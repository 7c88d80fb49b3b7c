"""Small plans for tests that need one."""

from reconciler.model.change import Change
from reconciler.model.plan import Plan, Step
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.model.stage import Stage
from tests.support.clock import MONDAY_MORNING

DOMAIN = "example.org"


def mx(exchange: str, ttl: int = 300, domain: str = DOMAIN) -> RRset:
    return RRset.of(domain, "MX", ttl, f"10 {exchange}.example.net.")


def step(number: int, before: Resource | None, after: Resource | None, stage: Stage = Stage.CUTOVER) -> Step:
    return Step(number, stage, Change(before, after))


def plan_of(*steps: Step, domain: str = DOMAIN) -> Plan:
    return Plan(domain, Stage.CUTOVER, MONDAY_MORNING, "spec-digest", steps)
