"""What probes would see of a move in memory, where all is well: of each kind that the spec asks for."""

from reconciler.analysis.addresses import is_answered
from reconciler.model.address import Address, Place
from reconciler.model.outside import Outside, Reception, Receptions, Reply, Signature, SignedTest
from reconciler.model.resource import State
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.spec.spec import Spec
from tests.support.clock import FakeClock

TAKEN, REFUSED = Reply(250, "2.1.5 Ok"), Reply(550, "5.1.1 No such user")


def seen_outside(spec: Spec, observed: State, clock: FakeClock) -> Outside:
    """The new server answers as it stands: it knows whom it has, and signs with the keys that it has."""
    if spec.probe is None:
        return Outside()
    facts: list[object] = []
    if spec.probe.smtp:
        facts.append(Receptions(tuple(_reception(str(server), spec, observed) for server in spec.probe.smtp)))
    if spec.probe.signed:
        mailbox = spec.probe.signed.mailbox
        keys = [r for r in observed.values() if isinstance(r, DkimKey) and r.place is Place.NEW]
        made = bool(keys) and Address(Place.NEW, "mailbox", mailbox) in observed
        signatures = tuple(Signature(spec.domain, key.selector) for key in keys)
        facts.append(
            SignedTest(mailbox, clock.now(), signatures, envelope=spec.domain)
            if made
            else SignedTest(mailbox, early="the mailbox and its key are made")
        )
    return Outside(tuple(facts))


def _reception(server: str, spec: Spec, observed: State) -> Reception:
    every = [*(mailbox.address for mailbox in spec.mailboxes), *spec.aliases]
    catches = Address(Place.NEW, "catch_all", spec.domain) in observed

    def reply(name: str) -> Reply:
        return TAKEN if catches or is_answered(observed, Place.NEW, name) else REFUSED

    return Reception(server, {name: reply(name) for name in every}, nobody=TAKEN if catches else REFUSED)
