"""One line a change, in the words of a mail administrator."""

import base64
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.render.phrases.changes import words
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript, merge

ANN = "ann@example.org"


def rrset(rdtype: str, *rdata: str, ttl: int = 300) -> RRset:
    return RRset.of("example.org.", rdtype, ttl, *rdata)


def told(before: Resource | None, after: Resource | None) -> str:
    return words(Change(before, after))


def txt(before: list[str], after: list[str]) -> str:
    return told(rrset("TXT", *before) if before else None, rrset("TXT", *after) if after else None)


def test_a_ttl_that_changes_alone_is_all_that_is_told() -> None:
    assert told(rrset("MX", "10 a.example.", ttl=86400), rrset("MX", "10 a.example.")) == "TTL 86400 -> 300"


def test_exchanges_are_told_by_preference() -> None:
    assert told(rrset("MX", "10 old.example."), rrset("MX", "20 b.example.", "5 a.example.")) == (
        "10 old.example -> 5 a.example, 20 b.example"
    )
    assert told(None, rrset("A", "192.0.2.1")) == "192.0.2.1, TTL 300"
    assert told(rrset("A", "192.0.2.1"), None) == "192.0.2.1, TTL 300"


def test_spf_is_told_mechanism_by_mechanism_with_its_lookups() -> None:
    before = ["v=spf1 ip4:192.0.2.1 include:old.example ?mx ~all", "verify=1"]
    after = ["v=spf1 mx include:crm.example ip4:198.51.100.1 -all", "verify=1"]
    assert txt(before, after) == (
        "SPF +include:crm.example +ip4:198.51.100.1 -ip4:192.0.2.1 -include:old.example ?mx -> mx ~all -> -all, "
        "look-ups 2 of 10, 1 other text stays"
    )


def test_a_new_spf_record_is_told_too_and_one_that_goes() -> None:
    assert txt([], ["v=spf1 a -all"]) == "SPF +a -all, look-ups 1 of 10, TTL 300"
    assert txt(["v=spf1 a -all"], []) == 'SPF -"v=spf1 a -all", TTL 300'


def test_odd_spf_records_are_told_as_they_are() -> None:
    assert txt(["v=spf1 a -all", "v=spf1 mx -all"], ["v=spf1 a mx -all"]) == (
        "SPF 2 records become one, look-ups 2 of 10"
    )
    assert txt(["v=spf1 nonsense"], ["v=spf1 -all"]) == '"v=spf1 nonsense" -> "v=spf1 -all"'
    assert txt(["v=spf1  a -all"], ["v=spf1 a -all"]) == "SPF written anew, look-ups 1 of 10"
    assert txt(["v=spf1 redirect=x.example"], ["v=spf1 -all"]) == "SPF -all, look-ups 0 of 10"


def test_a_key_is_told_by_its_end_and_size() -> None:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    p = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    assert txt([], [f"v=DKIM1; k=rsa; p={p}"]) == f"DKIM key …{p[-8:]}, 2048 bits, TTL 300"
    assert txt(["v=DKIM1; p="], ["v=DKIM1; p=abc"]) == "DKIM revoked key -> key …abc"
    assert txt(["v=DKIM1; p"], ["p=abc"]) == 'DKIM unreadable key "v=DKIM1; p" -> key …abc'


def test_a_key_that_will_be_known_after_apply_says_so() -> None:
    assert txt([], ["${new/dkim_key/s._domainkey.example.org}"]) == "DKIM key known after apply, TTL 300"


def test_dmarc_is_told_tag_by_tag() -> None:
    assert txt(["v=DMARC1; p=none; pct=5; fo=1"], ["v=DMARC1; p=quarantine; np=reject; fo=1"]) == (
        "DMARC p none -> quarantine, np reject, -pct 5"
    )
    assert txt([], ["v=DMARC1; p=none"]) == "DMARC p none, TTL 300"
    assert txt(["v=DMARC1; p=none"], []) == 'DMARC -"v=DMARC1; p=none", TTL 300'


def test_texts_of_no_known_kind_are_quoted_and_cut() -> None:
    assert txt(["a", "c"], ["b" * 80, "c"]) == f'+"{"b" * 59}…", -"a", 1 other text stays'


@pytest.mark.parametrize(
    ("source", "shown"),
    [(f"keep:{ANN}", "the old server's hash"), (f"generate:{ANN}", "generated"), ("env:ANN", "from env:ANN")],
)
def test_a_new_mailbox_tells_where_its_password_comes_from(source: str, shown: str) -> None:
    box = Mailbox(place=Place.NEW, name=ANN, display_name="Ann", password=source)
    assert told(None, box) == f'"Ann", password: {shown}'
    assert told(box, None) == ""


def test_a_mailbox_tells_its_new_name() -> None:
    before, after = (Mailbox(place=Place.NEW, name=ANN, display_name=name) for name in ("", "Ann"))
    assert told(before, after) == 'name "" -> "Ann"'


def test_quotas_are_told_in_the_largest_unit_that_fits() -> None:
    sizes = [Quota(place=Place.NEW, name=ANN, size=size) for size in (5 * 1024**3, 1536 * 1024**2, 1000, 0)]
    assert [told(None, quota) for quota in sizes] == ["5 GiB", "1536 MiB", "1000 bytes", "unlimited"]
    assert told(sizes[0], sizes[3]) == "5 GiB -> unlimited"


def test_targets_are_told_by_what_comes_and_goes() -> None:
    one, two = (
        Alias(place=Place.NEW, name="info@example.org", targets=frozenset(targets))
        for targets in ({ANN, "b@example.org"}, {ANN, "c@example.org"})
    )
    assert told(None, one) == told(one, None) == "to ann@example.org, b@example.org"
    assert told(one, two) == "+c@example.org, -b@example.org"
    many = CatchAll(place=Place.NEW, name="example.org", targets=frozenset(f"u{n}@example.org" for n in range(8)))
    assert told(None, many).endswith("u4@example.org, and 3 more")


def test_a_signing_key_tells_where_it_comes_from() -> None:
    name = "s._domainkey.example.org"
    assert told(None, DkimKey(place=Place.NEW, name=name, source="generate", bits=2048)) == "generated, 2048 bits"
    assert told(None, DkimKey(place=Place.NEW, name=name, source="file:k.pem")) == "from file:k.pem"
    assert told(DkimKey(place=Place.NEW, name=name, public="A" * 20 + "12345678"), None) == "key …12345678"


def script(content: str, *, active: bool = True, name: str = "main") -> SieveScript:
    return SieveScript(place=Place.NEW, name=ANN, script=name, content=content, active=active)


RULE = '# rule:[Forward to x.example and retain]\nif true\n{\n\tredirect :copy "ann@x.example";\n}\n'


def test_a_forward_is_told_with_the_rules_that_stay() -> None:
    plain, with_rule = script("keep;\nstop;\n"), script('require ["copy"];\n' + RULE + "keep;\nstop;\n")
    shown = "forward to ann@x.example and retain, in script main, 2 other rules kept"
    assert told(plain, with_rule) == f"+{shown}"
    assert told(with_rule, plain) == f"-{shown}"
    assert merge(None, with_rule) == plain


def test_a_script_that_is_made_changed_switched_off_and_deleted_says_so() -> None:
    ours = script('require ["copy"];\n' + RULE, name="roundcube")
    other = script(ours.content.replace("x.example", "y.example"), name="roundcube")
    off = script(ours.content.replace("if true", "if false # true"), name="roundcube")
    assert told(None, ours) == "+forward to ann@x.example and retain, in script roundcube"
    assert told(ours, other) == "forward to ann@x.example -> ann@y.example and retain, in script roundcube"
    assert told(off, script("", name="roundcube")) == (
        "-forward to ann@x.example and retain (switched off), in script roundcube"
    )
    inactive = script(ours.content, active=False, name="roundcube")
    assert told(inactive, ours) == "+forward to ann@x.example and retain, in script roundcube, made active"


class Thing(Resource):
    kind: ClassVar[str] = "thing"
    size: int = 0
    names: frozenset[str] = frozenset()
    note: str | None = None
    options: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it


def test_a_kind_without_words_is_told_field_by_field() -> None:
    one = Thing(place=Place.NEW, name="x", size=1, names=frozenset({"a", "b"}), options={"k": 1, "l": 2})
    two = Thing(place=Place.NEW, name="x", size=2, names=frozenset({"b", "c"}), note="n", options={"k": 3, "m": 2})
    assert told(None, one) == "size 1, names a, b, options {'k': 1, 'l': 2}"
    assert told(one, two) == (
        "names +c, names -a, note none -> n, options.k 1 -> 3, options.l -2, options.m +2, size 1 -> 2"
    )
    assert told(None, MailDomain(place=Place.NEW, name="example.org")) == ""


def test_no_control_character_reaches_the_terminal() -> None:
    box = Mailbox(place=Place.NEW, name=ANN, display_name="A\x1b[31m\nn")
    assert told(None, box) == '"A\\x1b[31m\\nn"'
