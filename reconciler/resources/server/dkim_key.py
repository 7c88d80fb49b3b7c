"""DKIM keys: what the new server signs with."""

from collections.abc import Iterator
from typing import ClassVar, Final, Literal, get_args

from reconciler.extend import ServerKind
from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec

Use = Literal["file", "table", "signing"]
_USES: Final[tuple[Use, ...]] = get_args(Use)


class DkimKey(Resource):
    """One signing key; ``name`` is ``SELECTOR._domainkey.DOMAIN``.

    ``public`` is the ``p=`` value, base64 of the SubjectPublicKeyInfo (RFC 6376, section 3.6.1); None while no key
    exists. ``source`` says where a new key comes from: ``generate`` or a secret reference to a PEM file; a reading has
    none, and a key that exists is never replaced (mail signed with it is still under way). ``bits``: RSA modulus of a
    generated key, 0 in a reading. ``use`` is how far it stands: a key file that nothing names, one (or a file to come)
    that a table of keys names, or a key that the domain is signed with.
    """

    kind: ClassVar[str] = "dkim_key"
    after: ClassVar[tuple[str, ...]] = ("domain",)
    for_making: ClassVar[frozenset[str]] = frozenset({"source", "bits"})
    public: str | None = None
    source: str | None = None
    bits: int = 0
    use: Use = "signing"

    def reaches(self, use: Use) -> bool:
        """Whether it stands as far as that, or further."""
        return _USES.index(self.use) >= _USES.index(use)

    def begins(self, whole: Resource | None) -> bool:
        """A file is written before the tables name it, and the table of keys before anything is signed."""
        return isinstance(whole, DkimKey) and whole.address == self.address and not self.reaches(whole.use)

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
    """A key that signs stays as it is; one that is there and does not sign yet is put to use.

    What stood once and has no source is wanted just so.
    """
    if wanted is None or standing is None or wanted == standing:
        return wanted
    if wanted.source is None:
        return wanted
    return standing if standing.reaches(wanted.use) else wanted.model_copy(update={"public": standing.public})


KIND = ServerKind(DkimKey, desired, merge=merge, source="RFC 6376", changes_at=frozenset())
