"""A spec and states of the world for tests, built from the few values that a test is about."""

from collections.abc import Mapping
from typing import Any

from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.spec.spec import Spec

DOMAIN = "example.org"

_PLAIN: Mapping[str, Any] = {
    "domain": DOMAIN,
    "old": {"backend": "memory", "mx": ["10 mx.old.example"], "senders": ["ip4:192.0.2.1"], "dkim": ["s1"]},
    "new": {"backend": "memory", "mx": ["10 mx.new.example"], "senders": ["ip4:198.51.100.1"], "dkim": ["s2"]},
    "dns": {"backend": "memory"},
    "mailboxes": [{"address": f"ann@{DOMAIN}"}, {"address": f"bob@{DOMAIN}"}],
}


def spec(**overrides: Any) -> Spec:
    """example.org moves from mx.old.example to mx.new.example; mappings are merged into that, the rest replaces it."""
    return Spec.model_validate(_merged(_PLAIN, overrides))


def state(*resources: Resource) -> dict[Address, Resource]:
    """The resources by their addresses.

    Raises:
        ValueError: two have the same address.

    """
    by_address = {resource.address: resource for resource in resources}
    if len(by_address) != len(resources):
        msg = "two resources with one address"
        raise ValueError(msg)
    return by_address


def _merged(plain: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(plain)
    for key, value in overrides.items():
        standing = result.get(key)
        if isinstance(standing, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(standing, value)
        else:
            result[key] = value
    return result
