"""What things are called in a plan."""

from typing import Final

from reconciler.model.address import Address, Place
from reconciler.model.plan import Intent, Plan
from reconciler.wording.printable import printable

PLACES: Final = {Place.OLD: "old server", Place.NEW: "new server", Place.DNS: "DNS"}
_KINDS: Final = {"catch_all": "catch-all", "dkim_key": "DKIM key", "sieve": "Sieve script"}


def thing(address: Address) -> str:
    """Kind and name: ``mailbox ann@example.org``, ``MX example.org``; printable, as all phrases."""
    name = printable(address.name)
    if address.kind == "rrset":
        owner, _, rdtype = name.rpartition(" ")
        return f"{rdtype} {owner.removesuffix('.')}"
    return f"{_KINDS.get(address.kind) or printable(address.kind.replace('_', ' '))} {name}"


def title(plan: Plan) -> str:
    """``example.org: plan to overlap``, or ``example.org: rollback to prepare``."""
    return f"{printable(plan.domain)}: {'rollback' if plan.intent is Intent.ROLLBACK else 'plan'} to {plan.stage.label}"
