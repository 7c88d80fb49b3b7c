"""A private OpenDKIM: the milter that signs what a mail server's own users submit."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab.loopback import ENDS_WITH_US
from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

_CONFIG = """
Socket inet:{port}@{address}
Mode s
Syslog no
Canonicalization relaxed/relaxed
KeyTable refile:{root}/KeyTable
SigningTable refile:{root}/SigningTable
InternalHosts {root}/trusted
PidFile {root}/pid
UMask 002
RequireSafeKeys no
"""
_RELOAD = '#!/bin/sh\n[ ! -f "{root}/pid" ] || kill -USR1 "$(cat "{root}/pid")"\n'


@dataclass
class OpenDkim:
    """One milter below ``root``; its tables are empty until somebody writes a key."""

    root: Path
    address: str
    port: int = field(init=False)
    _milter: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.root.mkdir(mode=0o755)
        self.keys.mkdir(mode=0o700)
        self.port = own_port(self.address)
        (self.root / "KeyTable").touch()
        (self.root / "SigningTable").touch()
        (self.root / "trusted").write_text("127.0.0.0/8\n")
        (self.root / "opendkim.conf").write_text(
            _CONFIG.format(root=self.root, address=self.address, port=self.port)
        )  # fmt: skip
        self.reload.write_text(_RELOAD.format(root=self.root))
        self.reload.chmod(0o755)

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def reload(self) -> Path:
        """The program that makes it read its tables again."""
        return self.root / "reload"

    @property
    def milter(self) -> str:
        """As main.cf names it."""
        return f"inet:{self.address}:{self.port}"

    def options(self) -> dict[str, object]:
        """As the spec names it."""
        return {
            "key_table": str(self.root / "KeyTable"),
            "signing_table": str(self.root / "SigningTable"),
            "keys_dir": str(self.keys),
            "reload": [str(self.reload)],
        }

    def add_key(self, domain: str, selector: str) -> str:
        """Sign with a new key of the server's own; what the DNS must say of it."""
        key = rsa.generate_private_key(65537, 2048)
        file = self.keys / f"{selector}.{domain}.private"
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(pem)
        file.chmod(0o600)
        name = f"{selector}._domainkey.{domain}"
        with (self.root / "KeyTable").open("a") as table:
            table.write(f"{name} {domain}:{selector}:{file}\n")
        with (self.root / "SigningTable").open("a") as table:
            table.write(f"*@{domain} {name}\n")
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])

    def start(self) -> "OpenDkim":
        with (self.root / "log").open("ab") as log:
            self._milter = subprocess.Popen(
                [*ENDS_WITH_US, _program(), "-f", "-x", self.root / "opendkim.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._milter.poll() is None:
            try:
                socket.create_connection((self.address, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError(f"OpenDKIM does not answer: {self.log()}")

    def stop(self) -> None:
        """At once: a milter keeps nothing, and to be asked it takes seconds."""
        if self._milter:
            self._milter.kill()
            self._milter.wait()
            self._milter = None

    def verify(self, message: bytes, zone: Mapping[str, str]) -> str:
        """What OpenDKIM says as a receiver, when the zone has these TXT; it ends in ``succeeded`` if all is well."""
        given = self.root / "zone"
        given.write_text("".join(f"{name} {text}\n" for name, text in zone.items()))
        config = self.root / "verify.conf"
        config.write_text(f"Mode v\nSyslog no\nTestDNSData {given}\n")
        received = self.root / "received"  # Dovecot's own file names have commas, which would part names here
        received.write_bytes(message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        done = subprocess.run([_program(), "-x", config, "-t", received], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def log(self) -> str:
        file = self.root / "log"
        return file.read_text(errors="replace") if file.exists() else ""


def _program() -> str:
    found = shutil.which("opendkim", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "these tests need the package opendkim: make test installs it"
    return found
