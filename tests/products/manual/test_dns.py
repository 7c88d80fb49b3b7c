"""A zone that a person changes, here with nsupdate, seen through its name servers."""

import dns.resolver  # noqa: TID251 - a resolver of the test's own
import pytest

from reconciler.errors import ObserveError
from reconciler.model.rrset import RRset
from reconciler.products.manual import dns as manual
from tests.lab.bind import ZONE, Bind
from tests.lab.unbound import Unbound
from tests.products.rfc2136.updated import MX, OLD, context, standing

pytestmark = pytest.mark.daemon
TYPED = "update add example.org 3600 MX 10 mail.old.example."


@pytest.fixture
def servers(lab) -> list[Bind]:
    """Two that know nothing of one another: a provider whose second one is slow."""
    return [lab(Bind()).start() for _ in range(2)]


def by_hand(*servers, **more):
    options = {"name_servers": [server.where for server in servers], "timeout": 0.5, **more}
    return manual.BACKEND.open(manual.BACKEND.options.model_validate(options), context())


def test_what_a_person_typed_is_seen_when_the_last_name_server_has_it(servers) -> None:
    product = by_hand(*servers)
    servers[0].nsupdate(TYPED)
    assert standing(product) is None
    assert product.name_servers
    assert product.name_servers.served([MX]) == {servers[0].where: {MX: OLD}, servers[1].where: {MX: None}}
    servers[1].nsupdate(TYPED)
    assert standing(product) == OLD


def test_the_order_in_which_they_are_listed_does_not_matter(servers) -> None:
    servers[0].nsupdate(TYPED)
    assert standing(by_hand(*reversed(servers))) is None


def test_one_that_is_down_does_not_hide_the_others_but_is_an_error_for_the_caches(servers) -> None:
    product = by_hand(*servers)
    servers[0].nsupdate(TYPED)
    servers[1].stop()
    assert standing(product) == OLD
    assert product.name_servers
    with pytest.raises(ObserveError, match=servers[1].where):
        product.name_servers.served([MX])


def test_where_none_answers_the_zone_is_not_known(servers) -> None:
    for server in servers:
        server.stop()
    with pytest.raises(ObserveError, match=servers[0].where):
        standing(by_hand(*servers))


def test_it_is_not_read_as_a_whole(servers) -> None:
    with pytest.raises(ObserveError, match="as a whole"):
        by_hand(*servers).stores[RRset.kind].read()


def test_a_provider_is_called_by_its_name(servers) -> None:
    assert by_hand(*servers).name == "the DNS provider"
    assert by_hand(*servers, name="Joker").name == "Joker"


def test_the_name_servers_are_found_through_a_resolver(lab) -> None:
    bind = lab(Bind({"example.org": ZONE.replace("NS ns1\n", "NS localhost.\n").replace("@ IN NS ns2\n", "")})).start()
    unbound = lab(Unbound({"example.org": [bind]})).start()
    resolver = dns.resolver.Resolver(configure=False)  # noqa: TID251
    resolver.nameservers, resolver.port = [unbound.address], unbound.port
    found = manual.of_zone("example.org.", resolver, 5353)
    assert ("localhost (127.0.0.1)", "127.0.0.1", 5353) in [(s.label, s.address, s.port) for s in found]
    with pytest.raises(ObserveError, match="set `zone`"):
        manual.of_zone("www.example.org.", resolver)
