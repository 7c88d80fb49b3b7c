"""A certificate authority of the test's own, and certificates that it signs or that sign themselves."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LATE = datetime(2049, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, both in PEM."""

    pem: bytes
    key: bytes

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.pem.decode())).hexdigest()

    def context(self, folder: Path) -> ssl.SSLContext:
        """For a server that shows it."""
        (folder / "certificate.pem").write_bytes(self.pem + self.key)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(folder / "certificate.pem")
        return made


@dataclass(frozen=True)
class Authority:
    """Signs for any name."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, name: str, ends: datetime = _LATE) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(name, self.certificate.subject, key, ends)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return _whole(made.sign(self.key, hashes.SHA256()), key)


@cache
def authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder("The test's authority", None, key)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    made = made.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
    return Authority(made.sign(key, hashes.SHA256()), key)


def self_signed(name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return _whole(_builder(name, None, key).sign(key, hashes.SHA256()), key)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, ends: datetime = _LATE
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(ends)


def _whole(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
