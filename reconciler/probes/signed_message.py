"""A message that the new server signs: the signature that the world will see, held against the keys of the plan.

A mailbox of the new server writes to itself, so that nothing leaves that server. It is done once, and again only where
the last message is a day old or proves nothing any more: another key, another selector, a server that signs no more.
"""

from datetime import timedelta
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from typing import Final

from reconciler.analysis.cutover_records import turned, turns
from reconciler.analysis.planned_dns import PlannedDns
from reconciler.extend import Probe, Surroundings
from reconciler.model.address import Address, Place
from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import SignedTest
from reconciler.model.reference import refers_to
from reconciler.model.rrset import RRset, rrset_name
from reconciler.model.stage import Stage
from reconciler.resources.server.dkim_key import key_name
from reconciler.resources.server.mailbox import Mailbox
from reconciler.spec.probing import Probing
from reconciler.spec.spec import Spec
from reconciler.transports.dns.lookup import asking
from reconciler.transports.mail.own_mail import Arrived, NoMail, OwnMail

_GOOD_FOR: Final = timedelta(days=1)


def gather(spec: Spec, surroundings: Surroundings) -> SignedTest | None:
    """Before the cutover alone: once the world delivers to the new server its users are the proof."""
    if spec.probe is None or spec.probe.signed is None:
        return None
    if Stage.CUTOVER not in surroundings.zones or all(turned(turn, surroundings.observed) for turn in turns(spec)):
        return None
    if early := _early(spec, surroundings, spec.probe.signed.mailbox):
        return SignedTest(spec.probe.signed.mailbox, early=early)
    return _Trial(spec, spec.probe, surroundings).result()


def _early(spec: Spec, surroundings: Surroundings, mailbox: str) -> str:
    """What is still to be made before anybody can write, as a clause; a key is known once it can be published."""
    zone = surroundings.zones[Stage.CUTOVER]
    for key in spec.new.dkim:
        owner = f"{key_name(key.selector, spec.domain)}."
        record = zone.get(Address(Place.DNS, RRset.kind, rrset_name(owner, "TXT")))
        if isinstance(record, RRset) and any(map(refers_to, record.rdata)):
            return f"the new server gets the key {key.selector}"
    address = Address(Place.NEW, Mailbox.kind, mailbox)
    if address not in surroundings.observed and str(address) not in spec.done_by_hand:
        return f"the new server gets the mailbox {mailbox}"
    return ""


class _Trial:
    """One message, from the one that is there already to the verdict on it."""

    def __init__(self, spec: Spec, probing: Probing, surroundings: Surroundings) -> None:
        assert probing.signed is not None
        look_up = asking(Endpoint.parse(probing.resolver, 53), probing.timeout) if probing.resolver else None
        self._spec, self._signed, self._now = spec, probing.signed, surroundings.now
        self._world = PlannedDns(surroundings.zones[Stage.CUTOVER], spec.owner, look_up)
        self._mail = OwnMail(spec.domain, probing, probing.signed, surroundings)

    def result(self) -> SignedTest:
        signed = self._signed
        try:
            with self._mail.inbox() as inbox:
                if good := self._still_good(inbox.newest()):
                    return good
                arrived = inbox.wait_for(self._mail.send(), signed.patience)
        except NoMail as why:
            return SignedTest(signed.mailbox, trouble=str(why))
        if arrived is None:
            return SignedTest(
                signed.mailbox,
                trouble=f"the message that {signed.mailbox} sent to itself over {signed.submission} has not arrived in "
                f"its inbox at {signed.imap} within {signed.patience} seconds: it is still under way, or was filed or "
                "sent on",
            )
        return self._judged(arrived)

    def _still_good(self, there: Arrived | None) -> SignedTest | None:
        """One that proves something saves another one, in every plan that is only looked at."""
        if there is None or self._now - there.at >= _GOOD_FOR:
            return None
        judged = self._judged(there)
        selectors = [key.selector for key in self._spec.new.dkim]
        return judged if judged.proven(self._spec.domain, selectors) else None

    def _judged(self, message: Arrived) -> SignedTest:
        from reconciler.analysis.signatures import signatures  # noqa: PLC0415 - slow to load, seldom asked for

        path = str(BytesHeaderParser().parsebytes(message.content).get("Return-Path", ""))
        return SignedTest(
            self._signed.mailbox,
            message.at,
            tuple(signatures(message.content, self._world)),
            envelope=parseaddr(path)[1].rpartition("@")[2].lower(),
        )


PROBE = Probe(
    title="A message that the new server signs",
    stages=frozenset({Stage.CUTOVER}),
    gather=gather,
    source="RFC 6376, section 6.1; RFC 6409, section 3",
)
