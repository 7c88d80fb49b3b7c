"""Whether a machine is the one that we mean: its host key against a fingerprint or against known_hosts.

Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; RFC 4251, section 4.1.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from reconciler.errors import ObserveError

_REVOKED: Final = "@revoked"
_FIELDS: Final = 3  # host names, type and key; a comment may follow


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key: its type, and the octets of it (RFC 4253, section 6.6)."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As OpenSSH prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def text(self) -> str:
        """As a file of keys has it."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"

    @property
    def file(self) -> str:
        """Where OpenSSH keeps such a key on the machine itself."""
        family = self.type.removeprefix("ssh-").partition("-")[0]
        return f"/etc/ssh/ssh_host_{family}_key.pub"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of known_hosts that speaks of our machine."""

    file: Path
    number: int
    type: str
    blob: bytes
    revoked: bool


class KnownHosts:
    """What files of host keys say about one machine. Marked authorities (``@cert-authority``) are not used."""

    def __init__(self, host: str, port: int, files: Sequence[Path], *, must_exist: bool) -> None:
        """Read the files; ``must_exist``: a missing one is an error, because its owner named it.

        Raises:
            ObserveError: a file cannot be read.

        """
        self.name = host if port == 22 else f"[{host}]:{port}"  # noqa: PLR2004 - SSH's own port
        self._where = f"{host}:{port}"
        self._files = files
        self._lines = [line for file in files for line in _lines(file, self.name, must_exist=must_exist)]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the keys that are known: the ones to ask the machine for."""
        return tuple(dict.fromkeys(line.type for line in self._lines if not line.revoked))

    def judge(self, shown: HostKey) -> None:
        """Accept a key that is known.

        Raises:
            ObserveError: it is unknown, another than the known one, or revoked.

        """
        file = self._files[0]
        if revoked := next((line for line in self._lines if line.revoked and line.blob == shown.blob), None):
            raise ObserveError(
                f"{self._where} shows a host key that {revoked.file}:{revoked.number} says is revoked: "
                f"{shown.type} {shown.fingerprint}. Somebody may hold its private part, so nothing was sent. Give the "
                "server another host key, or talk to whoever wrote that line"
            )
        known = [line for line in self._lines if not line.revoked]
        if any(line.blob == shown.blob for line in known):
            return
        if known:
            first = known[0]
            raise ObserveError(
                f"{self._where}: THE HOST KEY HAS CHANGED. {first.file}:{first.number} knows {first.type} "
                f"{HostKey(first.type, first.blob).fingerprint}, the machine shows {shown.type} {shown.fingerprint}. "
                "Either the server was installed anew, or somebody stands between you and it; nothing was sent. "
                f"{_how_to_check(shown)} Only if they are the same, remove the old key (ssh-keygen -R "
                f"'{self.name}' -f {first.file}) and add this line to that file: {self.name} {shown.text}"
            )
        raise ObserveError(
            f"{self._where} shows a host key that {file} does not know: {shown.type} {shown.fingerprint}. It may be "
            f"another machine, so nothing was sent. {_how_to_check(shown)} If they are the same, add this line to "
            f"{file}: {self.name} {shown.text} (or set host_key: {shown.fingerprint} in the options of ssh)"
        )


def judge_fingerprint(where: str, wanted: str, shown: Sequence[HostKey]) -> None:
    """Accept a machine whose last key shown has the fingerprint; the keys before it were of other types.

    Raises:
        ObserveError: none has it.

    """
    if shown and hmac.compare_digest(shown[-1].fingerprint, wanted.rstrip("=")):
        return
    keys = "; ".join(f"{key.type} {key.fingerprint}" for key in shown)
    raise ObserveError(
        f"{where}: THE HOST KEY IS NOT THE ONE IN THE OPTIONS. host_key says {wanted}, the machine shows {keys}. "
        "Either the server was installed anew, or somebody stands between you and it; nothing was sent. "
        f"{_how_to_check(shown[-1])} Only if they are the same, correct host_key"
    )


def _how_to_check(key: HostKey) -> str:
    return f"To check, run ssh-keygen -lf {key.file} on the server itself and compare what it prints."


def _lines(file: Path, name: str, *, must_exist: bool) -> Iterator[Line]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if must_exist:
            raise ObserveError(
                f"{file} does not exist, so no host key is known; make it, or mend known_hosts in the options of ssh"
            ) from None
        return
    except OSError as error:
        raise ObserveError(
            f"{file} could not be read ({(error.strerror or str(error)).lower()}), so no host key is known; "
            "mend that, or set host_key in the options of ssh"
        ) from error
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < _FIELDS or fields[0].startswith("#") or marker not in {"", _REVOKED}:
            continue
        if _names(fields[0], name):
            try:
                blob = base64.b64decode(fields[2], validate=True)
            except ValueError:
                continue
            yield Line(file, number, fields[1], blob, revoked=marker == _REVOKED)


def _names(patterns: str, name: str) -> bool:
    """Whether the first field of a line names the machine; a pattern with ``!`` before it takes it out again."""
    if patterns.startswith("|1|"):
        return _hashed(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        bare = pattern.removeprefix("!")
        if fnmatchcase(name.lower(), bare.replace("[", "[[]")):  # a bracket is the port's, and no set of characters
            if bare != pattern:
                return False
            found = True
    return found


def _hashed(field: str, name: str) -> bool:
    """The form that ``HashKnownHosts`` writes: ``|1|salt|HMAC-SHA1 of the name``."""
    _, _, salt, digest = (*field.split("|"), "", "", "")[:4]
    try:
        wanted = base64.b64decode(digest, validate=True)
        key = base64.b64decode(salt, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(key, name.lower().encode(), "sha1"), wanted)
