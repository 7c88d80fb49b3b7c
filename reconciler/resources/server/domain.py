"""Mail domains: the names that a server takes mail for."""

from collections.abc import Iterator
from typing import ClassVar

from reconciler.extend import ServerKind
from reconciler.model.address import Place
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.spec.spec import Spec


class MailDomain(Resource):
    """One domain that the server delivers locally; ``name`` is the domain."""

    kind: ClassVar[str] = "domain"


def desired(spec: Spec, _stage: Stage) -> Iterator[MailDomain]:
    """On the new server in every stage: nothing sends mail there before the MX does."""
    yield MailDomain(place=Place.NEW, name=spec.domain)


KIND = ServerKind(MailDomain, desired, source="RFC 5321, section 2.3.5", changes_at=frozenset())
