"""Values known after apply: a place in rdata that another resource will fill.

The DKIM key that the new server makes is published in the DNS. Until the key exists its record holds
``${new/dkim_key/SELECTOR._domainkey.DOMAIN}`` instead of the text.
"""

import re

from reconciler.model.address import Address
from reconciler.model.resource import State

_REFERENCE = re.compile(r"\$\{([^}]+)\}\Z")


def reference(address: Address) -> str:
    """The text that stands for what ``address`` will publish."""
    return f"${{{address}}}"


def refers_to(rdata: str) -> Address | None:
    """The address behind a reference, or None for plain rdata."""
    match = _REFERENCE.match(rdata)
    return Address.parse(match[1]) if match else None


def resolve(rdata: str, state: State) -> str:
    """The published text if the state knows it, else the reference as it stands."""
    address = refers_to(rdata)
    resource = state.get(address) if address else None
    return (resource.publishes() if resource else None) or rdata
