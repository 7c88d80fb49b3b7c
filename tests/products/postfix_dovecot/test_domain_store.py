import pytest

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.resources.server.domain import MailDomain

DOMAIN = MailDomain(place=Place.NEW, name="example.org")


@pytest.mark.parametrize(
    ("option", "before", "after"),
    [
        ("domains", "a.example\n# b\nc.example", "a.example\n# b\nc.example\nexample.org"),
        ("domains", "a.example OK\n", "a.example OK\nexample.org OK\n"),
        ("texthash:domains", "", "example.org OK\n"),
        ("domains", "", "example.org\n"),
        ("domains", None, "# made by reconciler\nexample.org\n"),
    ],
)
def test_a_domain_comes_in_the_form_of_the_file_and_goes_again(world, option, before, after):
    w = world(virtual_mailbox_domains=option)
    if before is not None:
        w.put("domains", before)
    assert w.read("domain") == {}
    w.create(DOMAIN)
    assert w.text("domains") == after
    assert w.read("domain") == {"example.org": DOMAIN}
    w.delete(DOMAIN)
    assert w.text("domains") == before


def test_a_domain_is_known_in_any_spelling(world):
    w = world(virtual_mailbox_domains="domains")
    w.put("domains", "Example.ORG\n")
    assert list(w.read("domain")) == ["example.org"]
    with pytest.raises(StalePlan):
        w.create(DOMAIN)


def test_a_domain_that_stands_twice_is_an_error(world):
    w = world(virtual_mailbox_domains="domains")
    w.put("domains", "example.org\na.example\nEXAMPLE.org\n")
    with pytest.raises(ObserveError, match=r"/domains:3: example.org stands here and in line 1"):
        w.read("domain")


def test_only_the_domain_of_the_move_is_written(world):
    w = world(virtual_mailbox_domains="domains")
    with pytest.raises(WriteError, match=r"a\.example is not the domain of this move"):
        w.create(MailDomain(place=Place.NEW, name="a.example"))


def test_without_the_option_the_domain_is_taken_to_be_there_and_changed_by_hand(world):
    w = world()
    assert w.read("domain") == {"example.org": DOMAIN}
    assert w.opened.by_hand == {"domain"}
    with pytest.raises(WriteError, match="the option virtual_mailbox_domains does not say where"):
        w.write(Change(DOMAIN, None))
