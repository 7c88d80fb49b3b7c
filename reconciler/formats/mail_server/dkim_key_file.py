"""RSA keys for DKIM: read from PEM files, made, and shown as the DNS publishes them."""

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from reconciler.model.secret import Secret

_FEWEST_BITS = 1024  # RFC 8301, section 3.2


class NotRsa(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """A key of another kind."""


def generated(bits: int) -> rsa.RSAPrivateKey:
    """A new key (RFC 6376, section 3.3.3: the public exponent is 65537)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def loaded(pem: bytes) -> rsa.RSAPrivateKey:
    """The key in a PEM text, PKCS#1 or PKCS#8, or in bare base64 of its DER, as OpenDKIM takes it too.

    Raises:
        NotRsa: it is a key of another kind.
        ValueError: there is no private key in it that verifiers accept; the message does not repeat it.

    """
    try:
        key = load_pem_private_key(pem, None) if b"-----" in pem else load_der_private_key(base64.b64decode(pem), None)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        raise ValueError("it holds no private key without a passphrase, in PEM as PKCS#1 or PKCS#8") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise NotRsa("its key is not RSA, the one kind that every verifier knows (RFC 8301)")
    if key.key_size < _FEWEST_BITS:
        raise ValueError(f"its key has {key.key_size} bits, and verifiers ignore less than 1024 (RFC 8301)")
    return key


def public(key: rsa.RSAPrivateKey) -> str:
    """The ``p=`` value: base64 of the SubjectPublicKeyInfo (RFC 6376, section 3.6.1)."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem(key: rsa.RSAPrivateKey) -> Secret:
    """PKCS#1, which every signer reads."""
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode())
