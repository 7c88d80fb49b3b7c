"""A login over SSH: the machine is recognised before anything is sent, then a key opens it."""

import getpass
import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import paramiko

from reconciler.errors import ObserveError
from reconciler.ports import Secrets
from reconciler.transports.ssh.host_keys import HostKey, KnownHosts, judge_fingerprint
from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.shared import Unreachable

_log: Final = logging.getLogger(__name__)
_KNOWN_HOSTS: Final = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
_KEEP_ALIVE: Final = 30  # seconds; shorter than the idle time-outs of the usual firewalls
_FAMILIES: Final = 3  # Ed25519, ECDSA, RSA

# paramiko tells its log what our errors say already; without a handler Python would print it to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def connect(ssh: Ssh, base: Path, secrets: Secrets) -> paramiko.SSHClient:
    """A client that is logged in; relative paths of files here begin at ``base``.

    Raises:
        Unreachable: the machine does not answer.
        ObserveError: it is not the one that we mean, or does not let us in.
        SecretError: the passphrase of the key cannot be had.

    """
    key = _private_key(ssh, base, secrets)
    if ssh.host_key is None:
        named = ssh.known_hosts is not None
        files = (
            [base / Path(ssh.known_hosts).expanduser()] if ssh.known_hosts else [p.expanduser() for p in _KNOWN_HOSTS]
        )
        known = KnownHosts(ssh.host, ssh.port, files, must_exist=named)
        return _log_in(ssh, key, _ByKnownHosts(known), first=known.types)
    shown: list[HostKey] = []
    for _ in range(_FAMILIES):
        try:
            return _log_in(ssh, key, _ByFingerprint(ssh.host_key, shown), without=[k.type for k in shown])
        except _OtherKey:
            continue
        except paramiko.IncompatiblePeer:  # it has keys of no other type
            break
    judge_fingerprint(ssh.where, ssh.host_key, shown)
    raise AssertionError("a key with the right fingerprint was not accepted")  # pragma: no cover


class _OtherKey(Exception):  # noqa: N818 - not an error yet: the machine may have a key of another type
    """The key shown has not the fingerprint that is wanted."""


class _ByKnownHosts(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko ships no types
    """Judges by files. ``accepted`` says that the machine is the one that we mean."""

    def __init__(self, known: KnownHosts) -> None:
        self.accepted = False
        self._known = known

    def missing_host_key(self, _client: object, _name: str, key: Any) -> None:
        self._known.judge(_host_key(key))
        self.accepted = True


class _ByFingerprint(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # paramiko ships no types
    """Judges by a fingerprint; keeps what was shown."""

    def __init__(self, wanted: str, shown: list[HostKey]) -> None:
        self.accepted = False
        self._wanted = wanted
        self._shown = shown

    def missing_host_key(self, _client: object, _name: str, key: Any) -> None:
        self._shown.append(_host_key(key))
        if self._shown[-1].fingerprint != self._wanted.rstrip("="):
            raise _OtherKey
        self.accepted = True


def _log_in(
    ssh: Ssh,
    key: Any,
    policy: _ByKnownHosts | _ByFingerprint,
    *,
    first: Sequence[str] = (),
    without: Sequence[str] = (),
) -> paramiko.SSHClient:
    """``first``: types of host keys to ask for before others; ``without``: types not to ask for."""
    user = ssh.user or getpass.getuser()

    def transport(plug: socket.socket, **_: object) -> paramiko.Transport:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else many short messages wait for one another
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: ends a line that is dead (tcp(7)), in milliseconds
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * ssh.timeout))
        made = paramiko.Transport(plug)
        made.get_security_options().key_types = _asked_for(made.get_security_options().key_types, first, without)
        return made

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(policy)
    try:
        client.connect(
            ssh.host, ssh.port, user, pkey=key, allow_agent=key is None, look_for_keys=key is None,
            timeout=ssh.timeout, banner_timeout=ssh.timeout, auth_timeout=ssh.timeout, channel_timeout=ssh.timeout,
            transport_factory=transport,
        )  # fmt: skip
        client.get_transport().set_keepalive(_KEEP_ALIVE)
        _log.info("connected to %s as %s", ssh.where, user)
    except paramiko.AuthenticationException as error:
        client.close()
        raise ObserveError(_refused(ssh, user, key)) from error
    except paramiko.IncompatiblePeer as error:
        client.close()
        if without:
            raise
        raise ObserveError(
            f"{ssh.where} and this program share no way to encrypt ({error}): its sshd is too old; update it"
        ) from error
    except (paramiko.SSHException, OSError, EOFError) as error:
        lively = client.get_transport() is not None and client.get_transport().is_active()
        client.close()
        if policy.accepted and lively and not isinstance(error, OSError):  # there was no key to try, or none to open
            raise ObserveError(_refused(ssh, user, key)) from error
        raise Unreachable(
            f"{ssh.where} could not be reached over SSH: {_reason(error)}. Nothing can be read or written there; check "
            "host and port, whether sshd runs and what the firewalls say, and try again"
        ) from error
    except BaseException:
        client.close()
        raise
    return client


def _asked_for(types: Sequence[str], first: Sequence[str], without: Sequence[str]) -> tuple[str, ...]:
    """An RSA key is one key with several ways to sign: ``rsa-sha2-512`` and ``rsa-sha2-256`` (RFC 8332)."""

    def one_of(kind: str, keys: Sequence[str]) -> bool:
        return kind in keys or (kind.startswith("rsa-") and "ssh-rsa" in keys)

    left = [kind for kind in types if not one_of(kind, without)]
    return tuple(sorted(left, key=lambda kind: not one_of(kind, first)))


def _private_key(ssh: Ssh, base: Path, secrets: Secrets) -> Any:
    """The key of ``key_file``; None where it is silent."""
    if ssh.key_file is None:
        return None
    file = base / Path(ssh.key_file).expanduser()
    phrase = secrets.reveal(ssh.key_passphrase) if ssh.key_passphrase else None
    encoded = phrase.reveal().encode() if phrase else None
    try:
        return paramiko.PKey.from_path(str(file), encoded)
    except OSError as error:
        raise ObserveError(
            f"{file}, the private key for {ssh.where}, could not be read: {_reason(error)}; mend key_file in the "
            "options of ssh, or run as the user whose key it is"
        ) from error
    except (paramiko.SSHException, paramiko.UnknownKeyType, ValueError, TypeError):
        pass  # the words of these may hold what they were given
    if phrase is None:
        why = "it is protected by a passphrase, or no private key at all; set key_passphrase in the options of ssh"
    else:
        why = f"the passphrase from {ssh.key_passphrase} does not fit, or the file is no private key"
    raise ObserveError(f"{file}, the private key for {ssh.where}, could not be opened: {why}")


def _refused(ssh: Ssh, user: str, key: Any) -> str:
    if key is None:
        tried = "none of the keys of the SSH agent and of ~/.ssh was accepted; name one with key_file"
    else:
        public = _host_key(key)
        tried = (
            f"it does not accept the key {ssh.key_file} ({public.fingerprint}). Add this line to the file "
            f".ssh/authorized_keys of {user} there: {public.text}"
        )
    return f"{ssh.where} does not let {user} in: {tried}. Nothing was read or written there"


def _host_key(key: Any) -> HostKey:
    return HostKey(key.get_name(), key.asbytes())


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or "it hung up"
    return "no answer in time" if isinstance(error, TimeoutError) else str(text)
