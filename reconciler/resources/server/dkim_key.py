"""DKIM keys: what the new server signs with."""

from collections.abc import Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


class DkimKey(Resource):
    """One signing key; ``name`` is ``SELECTOR._domainkey.DOMAIN``.

    ``public`` is the ``p=`` value, base64 of the SubjectPublicKeyInfo (RFC 6376, section 3.6.1); None while no key
    exists. ``source`` says where a new key comes from: ``generate`` or a secret reference to a PEM file; a reading has
    none, and a key that exists is never replaced (mail signed with it is still under way). ``bits``: RSA modulus of a
    generated key, 0 in a reading.
    """

    kind: ClassVar[str] = "dkim_key"
    after: ClassVar[tuple[str, ...]] = ("domain",)
    for_making: ClassVar[frozenset[str]] = frozenset({"source", "bits"})
    public: str | None = None
    source: str | None = None
    bits: int = 0

    @property
    def selector(self) -> str:
        """The selector alone."""
        return self.name.partition("._domainkey.")[0]

    @property
    def domain(self) -> str:
        """The signing domain."""
        return self.name.partition("._domainkey.")[2]

    def publishes(self) -> str | None:
        """The TXT that verifiers look up (RFC 6376, section 3.6.1)."""
        return f"v=DKIM1; k=rsa; p={self.public}" if self.public else None


def key_name(selector: str, domain: str) -> str:
    """The name of a key, and the owner name of its record without the final dot."""
    return f"{selector}._domainkey.{domain}"


def desired(spec: Spec, _stage: Stage) -> Iterator[DkimKey]:
    """On the new server in every stage; nothing signs with it before the server sends."""
    for key in spec.new.dkim:
        yield DkimKey(
            place=Place.NEW,
            name=key_name(key.selector, spec.domain),
            source=key.key or "generate",
            bits=0 if key.key else key.bits,
        )


def merge(wanted: DkimKey | None, standing: DkimKey | None) -> DkimKey | None:
    """A key that exists stays as it is."""
    return wanted and (standing or wanted)


KIND = ServerKind(DkimKey, desired, merge=merge, source="RFC 6376", changes_at=frozenset())
