import pytest

from reconciler.engine.order import order
from reconciler.errors import DependencyCycle
from reconciler.model.address import Address, Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript

DOMAIN = MailDomain(place=Place.NEW, name="example.org")
ANN = Mailbox(place=Place.NEW, name="ann@example.org")
QUOTA = Quota(place=Place.NEW, name="ann@example.org", size=1)
INFO = Alias(place=Place.NEW, name="info@example.org", targets=frozenset({"ann@example.org"}))
MX = RRset.of("example.org", "MX", 300, "10 mail.new.example.")
SPF = RRset.of("example.org", "TXT", 300, "v=spf1 ip4:192.0.2.1 -all")
FORWARD = SieveScript(
    place=Place.NEW,
    name="ann@example.org",
    script="roundcube",
    content=(
        'require ["copy"];\n# rule:[Forward to b.example and retain]\n'
        'if true\n{\n\tredirect :copy "ann@b.example";\n}\n'
    ),
)


def made(*resources: Resource) -> list[Change]:
    return [Change(None, resource) for resource in resources]


def removed(*resources: Resource) -> list[Change]:
    return [Change(resource, None) for resource in resources]


def subjects(changes: list[Change]) -> list[Resource]:
    return [change.subject for change in order(changes)]


def test_an_account_is_made_after_its_domain_and_before_what_points_at_it() -> None:
    assert subjects(made(MX, INFO, QUOTA, ANN, DOMAIN)) == [DOMAIN, ANN, INFO, QUOTA, MX]


def test_things_are_removed_in_the_opposite_order() -> None:
    assert subjects(removed(DOMAIN, ANN, QUOTA, INFO)) == [INFO, QUOTA, ANN, DOMAIN]


def test_the_forward_starts_after_spf_lets_the_new_server_send() -> None:
    assert subjects(made(FORWARD, SPF)) == [SPF, FORWARD]


def test_the_forward_ends_before_spf_stops_letting_the_new_server_send() -> None:
    narrower = SPF.model_copy(update={"rdata": frozenset({"v=spf1 -all"})})
    assert subjects([Change(SPF, narrower), *removed(FORWARD)]) == [FORWARD, narrower]


def test_an_account_that_only_changes_is_in_nobody_s_way() -> None:
    renamed = ANN.model_copy(update={"display_name": "Ann"})
    changes = [
        Change(renamed, ANN),
        *removed(QUOTA, SPF),
        Change(FORWARD, FORWARD.model_copy(update={"content": "keep;"})),
    ]
    assert [r.kind for r in subjects(changes)] == ["mailbox", "sieve", "rrset", "quota"]


def test_ties_are_broken_by_address() -> None:
    boxes = [Mailbox(place=Place.NEW, name=f"{name}@example.org") for name in ("cleo", "ann", "bob")]
    assert [r.name for r in subjects(made(*boxes))] == ["ann@example.org", "bob@example.org", "cleo@example.org"]


class Link(Resource):
    kind = "link"
    to: str

    def needs(self) -> tuple[Address, ...]:
        return (Address(self.place, "link", self.to),)


def test_a_circle_is_named() -> None:
    circle = made(Link(place=Place.NEW, name="a", to="b"), Link(place=Place.NEW, name="b", to="a"))
    with pytest.raises(DependencyCycle, match="new/link/a -> new/link/b"):
        order(circle)
