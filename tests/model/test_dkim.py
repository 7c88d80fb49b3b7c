import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.model.dkim import KeyRecord, is_key


def test_the_key_is_read_without_its_white_space() -> None:
    record = KeyRecord.parse("v=DKIM1; k=rsa; p=AB CD\tEF==")
    assert record.public == "ABCDEF=="
    assert record.key_type == "rsa"
    assert not record.revoked


def test_an_empty_key_is_a_revoked_one() -> None:
    assert KeyRecord.parse("v=DKIM1; p=").revoked
    assert KeyRecord.parse("v=DKIM1; p=").bits is None


def test_the_size_of_a_key_is_known() -> None:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    p = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    assert KeyRecord.parse(f"p={p}").bits == 2048
    assert KeyRecord.parse(f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(32)).decode()}").bits == 256


@pytest.mark.parametrize("p", ["MIGf", "%%%", "A"])
def test_a_key_that_no_verifier_could_read_has_no_size(p: str) -> None:
    assert KeyRecord.parse(f"v=DKIM1; p={p}").bits is None


@pytest.mark.parametrize("text", ["v=DKIM1; k=rsa", "k=rsa; v=DKIM1; p=a", "v=DMARC1; p=none", "hello", "p=a; p=b"])
def test_what_is_no_key_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        KeyRecord.parse(text)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("v=DKIM1; k=rsa; p=abc", True),
        ("k=rsa;p=abc", True),
        ("v=DKIM1; broken", True),
        ("p=", True),
        ("v=DMARC1; p=none", False),
        ("v=spf1 -all", False),
        ("some-verification=abc", False),
    ],
)
def test_a_key_is_told_from_other_texts(text: str, ours: bool) -> None:
    assert is_key(text) is ours
