import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.address import Address, Place
from reconciler.model.reference import reference
from reconciler.model.rrset import RRset, normal_rdata, octets_of, presentation, quoted, rrset_name, text_of


def parsed(rdtype: str, text: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), text)


def of_strings(*strings: bytes) -> dns.rdata.Rdata:
    wire = b"".join(bytes([len(s)]) + s for s in strings)
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.TXT, wire, 0, len(wire))


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_a_txt_from_the_wire_comes_back_octet_for_octet_through_a_zone_file(strings: list[bytes]):
    text = text_of(of_strings(*strings))
    assert octets_of(text) == b"".join(strings)
    again = parsed("TXT", quoted(text))
    assert isinstance(again, TXT)
    assert b"".join(again.strings) == b"".join(strings)
    assert text_of(again) == text


@given(st.binary(max_size=600))
def test_no_string_of_a_zone_file_is_over_255_octets(octets: bytes):
    text = "".join(f"\\{octet:03d}" for octet in octets)
    again = parsed("TXT", quoted(text))
    assert isinstance(again, TXT)
    assert b"".join(again.strings) == octets
    assert all(len(s) <= 255 for s in again.strings)


@given(st.text(max_size=40) | st.text(alphabet='\\0123"a ;', max_size=12))
def test_a_txt_has_one_spelling_or_is_refused(text: str):
    try:
        normal = normal_rdata("TXT", text)
    except ValueError:
        return
    assert normal_rdata("TXT", normal) == normal
    assert octets_of(normal) == octets_of(text)
    assert all(" " <= c <= "~" for c in normal)


@pytest.mark.parametrize("text", ["\\", "\\1", "\\12", "\\256", "\\+12", "\\ 12", '\\"', "gr\u00fcn"])
def test_a_broken_escape_is_refused(text: str):
    with pytest.raises(ValueError):
        octets_of(text)


def test_two_spellings_of_a_txt_are_one_rrset():
    assert RRset.of("example.org", "TXT", 300, "\\097b") == RRset.of("Example.org.", "TXT", 300, "ab")


@pytest.mark.parametrize(
    ("rdtype", "text", "normal"),
    [
        ("MX", "10  Mail.Example.ORG.", "10 mail.example.org."),
        ("AAAA", "2001:DB8::0001", "2001:db8::1"),
        ("CNAME", "Host.Example.", "host.example."),
    ],
)
def test_rdata_have_one_spelling(rdtype: str, text: str, normal: str):
    assert normal_rdata(rdtype, text) == normal
    assert normal_rdata(rdtype, normal) == normal
    assert text_of(parsed(rdtype, presentation(rdtype, normal))) == normal


@pytest.mark.parametrize(("rdtype", "text"), [("A", "192.0.2.256"), ("MX", "mail.example.org."), ("NOSUCHTYPE", "x")])
def test_rdata_of_another_type_are_refused(rdtype: str, text: str):
    with pytest.raises(ValueError, match=f"is not the data of a {rdtype} record"):
        normal_rdata(rdtype, text)


def test_other_types_made_of_strings_keep_their_quotes():
    rdata = parsed("AVC", '"app-name:x|" "y"')
    assert parsed("AVC", presentation("AVC", text_of(rdata))) == rdata


@pytest.mark.parametrize(
    ("owner", "name"),
    [("Example.org", "example.org. MX"), ("*.example.org.", "*.example.org. MX"), ("_dmarc.a.b", "_dmarc.a.b. MX")],
)
def test_an_rrset_is_named_by_its_absolute_owner_and_its_type(owner: str, name: str):
    assert rrset_name(owner, "MX") == name
    assert RRset.of(owner, "MX", 60).owner + " MX" == name


def test_an_rrset_needs_what_its_references_stand_for():
    key = Address(Place.NEW, "dkim_key", "s1._domainkey.example.org")
    rrset = RRset.of("s1._domainkey.example.org", "TXT", 300, reference(key))
    assert rrset.unknown == rrset.needs() == (key,)
    assert rrset.rdata == {"${new/dkim_key/s1._domainkey.example.org}"}
