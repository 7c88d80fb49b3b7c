"""The key that a primary name server knows us by (TSIG, RFC 8945)."""

import binascii
from typing import Annotated, Literal

import dns.exception
import dns.message
import dns.name
import dns.tsig
from pydantic import AfterValidator

from reconciler.errors import SecretError
from reconciler.model.secret import Secret
from reconciler.ports import Secrets

Algorithm = Literal["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-md5"]


class Tsig:
    """Signs questions and updates, and has the answers verified. Neither repr nor errors show the secret."""

    __slots__ = ("_reference", "_revealed", "_secrets", "algorithm", "name")

    def __init__(self, name: str, algorithm: Algorithm, reference: str, secrets: Secrets) -> None:
        """``reference`` leads to the secret in base64, as ``tsig-keygen`` prints it."""
        self.name = name
        self.algorithm = algorithm
        self._reference = reference
        self._secrets = secrets
        self._revealed: Secret | None = None  # once a run, because a program may have to be asked for it

    def __str__(self) -> str:
        """As messages call it."""
        return f"TSIG key {self.name} ({self.algorithm})"

    def sign(self, message: dns.message.Message) -> None:
        """Have the message signed when it is sent.

        Raises:
            SecretError: the secret cannot be had, or is not base64.

        """
        message.use_tsig(self.key())

    def key(self) -> dns.tsig.Key:
        """The key itself, whose repr shows the secret: let go of it once the message is on its way.

        Raises:
            SecretError: the secret cannot be had, or is not base64.

        """
        algorithm = "hmac-md5.sig-alg.reg.int" if self.algorithm == "hmac-md5" else self.algorithm
        self._revealed = self._revealed or self._secrets.reveal(self._reference)
        try:
            octets = binascii.a2b_base64("".join(self._revealed.reveal().split()), strict_mode=True)
        except ValueError:
            octets = b""
        if not octets:
            raise SecretError(
                f"the secret of {self}, {self._reference}, is not base64: it must hold the text between the quotes "
                "after `secret` in the key clause of the name server, and nothing else"
            )
        return dns.tsig.Key(dns.name.from_text(self.name), octets, algorithm)


def _domain_like(text: str) -> str:
    """Refuse what cannot name a key (RFC 8945, section 4.2)."""
    try:
        dns.name.from_text(text)
    except dns.exception.DNSException as error:
        raise ValueError(f"{text!r} cannot name a TSIG key: {error}") from error
    return text


KeyName = Annotated[str, AfterValidator(_domain_like)]
"""The name of a key as options hold it."""
