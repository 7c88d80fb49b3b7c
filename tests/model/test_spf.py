from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.spf import Mechanism, Spf, is_spf

domains = st.from_regex(r"(?:[a-zA-Z0-9_]{1,8}\.){1,3}[a-zA-Z]{2,5}\.?", fullmatch=True)
v4_lengths = st.just("") | st.integers(0, 32).map("/{}".format)
v6_lengths = st.just("") | st.integers(0, 128).map("//{}".format)
hosts = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["a", "mx", "A"]),
    st.just("") | domains.map(":{}".format),
    v4_lengths,
    v6_lengths,
)
networks = st.builds("ip4:{}{}".format, st.builds(IPv4Address, st.integers(0, 2**32 - 1)), v4_lengths) | st.builds(
    "ip6:{}{}".format,
    st.builds(IPv6Address, st.integers(0, 2**128 - 1)),
    st.just("") | st.integers(0, 128).map("/{}".format),
)
others = st.builds("{}:{}".format, st.sampled_from(["include", "exists", "INCLUDE"]), domains) | st.just("all")
mechanisms = st.builds("{}{}".format, st.sampled_from(["", "+", "-", "~", "?"]), hosts | networks | others)
modifiers = st.sampled_from(["redirect=_spf.example.net", "exp=why.example.org", "ra=postmaster", "op=a:b/c"])
records = st.builds(
    lambda terms, tail: " ".join(["v=spf1", *terms, *tail]),
    st.lists(mechanisms, max_size=8),
    st.lists(modifiers, unique=True, max_size=2),
)


@given(mechanisms)
def test_a_mechanism_read_again_is_the_same(text: str):
    once = Mechanism.parse(text)
    assert Mechanism.parse(str(once)) == once


@given(records)
def test_a_record_read_again_is_the_same(text: str):
    once = Spf.parse(text)
    assert Spf.parse(str(once)) == once
    assert is_spf(str(once))


@given(st.text(max_size=30))
def test_any_text_is_a_mechanism_or_a_value_error(text: str):
    try:
        once = Mechanism.parse(text)
    except ValueError:
        return
    assert Mechanism.parse(str(once)) == once


@given(st.text(alphabet="v=spf1 aimx:/.%{}024-~+_\t\u00fc", max_size=30).map("v=spf1 {}".format))
def test_any_text_behind_the_version_is_a_record_or_a_value_error(text: str):
    try:
        once = Spf.parse(text)
    except ValueError:
        return
    assert Spf.parse(str(once)) == once


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ip4:192.0.2.0/24", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2.77/24", "ip4:192.0.2.0/24"),
        ("ip4:192.0.2.1/32", "ip4:192.0.2.1"),
        ("ip6:2001:DB8:0:0::1", "ip6:2001:db8::1"),
        ("ip6:::1", "ip6:::1"),
        ("+MX", "mx"),
        ("a/32//128", "a"),
        ("a:Mail.Example.ORG./28//64", "a:mail.example.org/28//64"),
        ("?include:_SPF.example.net.", "?include:_spf.example.net"),
        ("exists:%{i}._spf.%{D}", "exists:%{i}._spf.%{D}"),
    ],
)
def test_a_mechanism_has_one_spelling(text: str, normal: str):
    assert str(Mechanism.parse(text)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ip4",
        "ip4:192.0.2.256",
        "ip4:192.0.2.0/255.255.255.0",
        "ip4:192.0.2.0/024",
        "ip4/192.0.2.0",
        "ip6:fe80::1%eth0",
        "a:",
        "a:.",
        "a/33",
        "a/099",
        "a/024",
        "a//129",
        "include",
        "include:",
        "include:example.org/24",
        "include:ex\u00e4mple.org",
        "ptr/24",
        "all:example.org",
        "spf:example.org",
    ],
)
def test_what_receivers_would_refuse_is_refused(text: str):
    with pytest.raises(ValueError, match="SPF mechanism"):
        Mechanism.parse(text)


@pytest.mark.parametrize(
    "text", ["v=spf1 redirect=", "v=spf1 exp=a exp=b", "v=spf1 redirect=a redirect=b", "v=spf10 a"]
)
def test_a_record_with_a_broken_modifier_or_version_is_refused(text: str):
    with pytest.raises(ValueError, match=r"SPF record|SPF modifier|stands twice"):
        Spf.parse(text)


def test_only_mechanisms_with_a_host_name_have_a_domain():
    assert Mechanism.parse("include:example.net").domain == "example.net"
    assert Mechanism.parse("a:example.net/24").domain == "example.net"
    assert [Mechanism.parse(text).domain for text in ("mx", "a/24", "all", "ip4:192.0.2.1")] == [None] * 4


def test_redirect_counts_as_a_look_up_only_without_all():
    assert Spf.parse("v=spf1 a mx redirect=example.net").lookups == 3
    assert Spf.parse("v=spf1 a mx redirect=example.net -all").lookups == 2
    assert Spf.parse("v=spf1 ip4:192.0.2.1 exists:example.net ptr include:example.net").lookups == 3


def test_all_goes_last_when_the_senders_change():
    spf = Spf.parse("v=spf1 mx -all exp=why.example.org")
    changed = spf.with_senders((Mechanism.parse("a"), Mechanism.parse("mx")), Mechanism.parse("~all"))
    assert str(changed) == "v=spf1 a mx ~all exp=why.example.org"
