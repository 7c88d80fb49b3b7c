"""Why a server could not be talked to, as the end of a sentence about it."""

import smtplib
import socket
import ssl

from reconciler.model.outside import Reply
from reconciler.wording.quoting import one_line


class Ended(Exception):  # noqa: N818 - says what became of the connection
    """The connection can be used no more; ``str()`` is the reason, as the end of a sentence about the server."""


def why(error: OSError, timeout: float) -> str:
    """``timeout``: what was allowed for one answer, in seconds."""
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"does not answer within {timeout:g} seconds"
    match error:
        case smtplib.SMTPResponseException():
            reason = f"answers {reply_of(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPServerDisconnected():
            reason = "closes the connection without a word"
        case smtplib.SMTPException():
            reason = f"cannot be used: {one_line(str(error)).removesuffix('.')}"
        case ssl.SSLCertVerificationError():
            reason = f"shows a certificate that mail programs refuse: {_refused(error)}"
        case ssl.SSLError():
            reason = f"ends the handshake of TLS: {error.reason or error}"
        case socket.gaierror():
            reason = f"cannot be reached: its name has no address here ({error.strerror})"
        case _:
            reason = f"cannot be reached: {(error.strerror or str(error)).lower()}"
    return reason


def reply_of(code: int, text: bytes | str) -> Reply:
    """One line that can be shown: a server may say anything."""
    return Reply(code, one_line(text.decode(errors="replace") if isinstance(text, bytes) else text))


def _refused(error: ssl.SSLCertVerificationError) -> str:
    """OpenSSL's own words; an error that we raise ourselves has no others than its text."""
    words: str = getattr(error, "verify_message", "") or str(error)
    return words[:1].lower() + words[1:].removesuffix(".")
