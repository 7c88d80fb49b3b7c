from reconciler.analysis.zone import Zone
from reconciler.model.rrset import RRset
from tests.support.specs import state

ORIGIN = "example.org."
HERE = RRset.of("a.example.org", "A", 300, "192.0.2.1")


def cname(owner, target):
    return RRset.of(owner, "CNAME", 300, target)


def zone(*rrsets):
    return Zone(state(*rrsets), ORIGIN)


def test_a_chain_of_cnames_is_followed() -> None:
    chain = zone(HERE, cname("b.example.org", "a.example.org."), cname("c.example.org", "b.example.org."))
    assert chain.answer("c.example.org.", "A") == HERE
    assert chain.end("c.example.org.") == "a.example.org."


def test_a_circle_of_cnames_has_no_answer() -> None:
    circle = zone(cname("b.example.org", "c.example.org."), cname("c.example.org", "b.example.org."))
    assert circle.answer("b.example.org.", "A") is None


def test_a_wildcard_cname_does_not_hide_a_name_that_exists() -> None:
    wild = zone(HERE, cname("*.example.org", "elsewhere.example."))
    assert wild.answer("a.example.org.", "A") == HERE
    assert wild.end("b.example.org.") == "elsewhere.example."


def test_what_is_outside_or_delegated_is_not_seen() -> None:
    cut = zone(RRset.of("sub.example.org", "NS", 300, "ns.example."), RRset.of("example.org", "NS", 300, "ns.example."))
    assert cut.sees("example.org.")
    assert cut.sees("a.example.org.")
    assert not cut.sees("sub.example.org.")
    assert not cut.sees("a.sub.example.org.")
    assert not cut.sees("other.example.")
    assert not cut.sees("notexample.org.")
