import base64

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from reconciler.analysis.planned_dns import PlannedDns
from reconciler.analysis.signatures import signatures
from reconciler.model.outside import Signature
from reconciler.model.resource import Resource
from tests.support.changes import txt
from tests.support.specs import state

MESSAGE = b"From: ann@example.org\r\nTo: bob@example.net\r\nSubject: Hello\r\n\r\nHello Bob\r\n"


def _rsa(bits: int) -> tuple[bytes, str]:
    """A private key in PEM, and its p=."""
    made = rsa.generate_private_key(65537, bits)
    public = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return private, base64.b64encode(public).decode()


@pytest.fixture(scope="module")
def key() -> tuple[bytes, str]:
    return _rsa(2048)


def signed(private: bytes, domain: str = "example.org", message: bytes = MESSAGE, **more: bytes) -> bytes:
    header: bytes = dkim.sign(message, b"s2", domain.encode(), private, **more)
    return header + message


def seen(message: bytes, *zone: Resource) -> list[Signature]:
    return [*signatures(message, PlannedDns(state(*zone), "example.org.", None))]


def record(public: str, tags: str = "v=DKIM1; k=rsa") -> Resource:
    return txt(f"{tags}; p={public}", owner="s2._domainkey.example.org")


def why(message: bytes, *zone: Resource) -> str:
    (found,) = seen(message, *zone)
    assert (found.domain, found.selector) == ("example.org", "s2")
    return found.why


def test_a_message_as_it_was_signed_verifies(key):
    assert why(signed(key[0]), record(key[1])) == ""
    assert why(signed(key[0]), record(key[1], "k=rsa")) == ""


def test_an_ed25519_key_verifies_as_well():
    made = ed25519.Ed25519PrivateKey.generate()
    private = base64.b64encode(made.private_bytes_raw())
    public = base64.b64encode(made.public_key().public_bytes_raw()).decode()
    message = signed(private, signature_algorithm=b"ed25519-sha256")
    assert why(message, record(public, "v=DKIM1; k=ed25519")) == ""


def test_a_message_without_one_has_none():
    assert seen(MESSAGE) == []


def test_what_was_changed_on_its_way_does_not_verify(key):
    message = signed(key[0])
    assert "body hash mismatch" in why(message.replace(b"Hello Bob", b"Hello Rob"), record(key[1]))
    changed = "it was not made with the key that will stand in the zone"
    assert why(message.replace(b"Subject: Hello", b"Subject: Bye"), record(key[1])) == changed
    assert why(message, record(_rsa(2048)[1])) == changed


def test_a_key_that_is_missing_revoked_a_test_or_too_short_is_none(key):
    message = signed(key[0])
    assert why(message) == "s2._domainkey.example.org. will hold no key"
    assert (
        why(message, txt("site=1", owner="s2._domainkey.example.org")) == "s2._domainkey.example.org. will hold no key"
    )
    assert why(message, record("")) != ""
    assert "says t=y, a test" in why(message, record(key[1], "v=DKIM1; k=rsa; t=s:y"))
    private, public = _rsa(1024)
    assert why(signed(private), record(public)) == ""
    assert "not made with" in why(signed(private), record("AAAA"))


def test_the_key_of_another_domain_is_not_known_where_nobody_can_be_asked(key):
    (found,) = seen(signed(key[0], "provider.example"), record(key[1]))
    assert found == Signature(
        "provider.example",
        "s2",
        "its key is not known: s2._domainkey.provider.example. TXT is in another zone, and probe.resolver names nobody "
        "to ask",
    )


def test_what_is_no_signature_is_told_and_breaks_nothing(key):
    for header in (b"nonsense", b"v=1; a=rsa-sha256; d=example.org; s=s2", b"i=; d=example.org; s=s2", b""):
        (found,) = seen(b"DKIM-Signature: " + header + b"\r\n" + MESSAGE, record(key[1]))
        assert found.why


def test_each_of_several_signatures_is_judged_by_itself(key):
    message = signed(key[0], message=signed(key[0], "provider.example"))
    assert [(it.domain, not it.why) for it in seen(message, record(key[1]))] == [
        ("example.org", True),
        ("provider.example", False),
    ]
