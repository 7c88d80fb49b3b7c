"""A whole mail server whose services show certificates: good ones, and one of each fault on a port of its own."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fakes.certificates import Certificate, authority, self_signed
from tests.lab.loopback import SUBMISSION, Loopback
from tests.lab.mail_server import MailServer

HOST = "mail.new.example"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)  # noqa: TID251 - certificates live in real time
_ENDED = datetime(2021, 1, 1, tzinfo=UTC)
_MAIN = """
smtpd_tls_security_level = may
smtpd_tls_chain_files = {root}/good.pem
smtpd_error_sleep_time = 0
"""
_NO_PENALTIES = """
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
_SUBMISSION = """
{address}:{port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path={auth}
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_milters={milter}
  {options}
"""
_PORTS = {
    "implicit": (2465, "-o smtpd_tls_wrappermode=yes"),
    "soon": (2466, "-o smtpd_tls_chain_files={root}/soon.pem"),
    "ended": (2467, "-o smtpd_tls_chain_files={root}/ended.pem"),
    "another name": (2468, "-o smtpd_tls_chain_files={root}/named.pem"),
    "self-signed": (2469, "-o smtpd_tls_chain_files={root}/self.pem"),
    "no TLS": (2470, "-o smtpd_tls_security_level=none"),
    "no login": (2473, "-o smtpd_sasl_auth_enable=no"),
    "unsigned": (2471, "-o smtpd_milters="),
    "swallows": (2472, "-o smtpd_milters= -o smtpd_recipient_restrictions=check_recipient_access,static:DISCARD"),
}


@dataclass(frozen=True)
class Secured:
    """The server; ``folder`` is where a spec would lie, with the authority's certificate in it."""

    server: MailServer
    folder: Path
    certificates: Mapping[str, Certificate]

    def submission(self, port: str = "", **more: Any) -> dict[str, Any]:
        """As a spec describes it, the usual one or one of ``_PORTS``."""
        number = _PORTS[port][0] if port else SUBMISSION
        service = "submissions" if port == "implicit" else "submission"
        found = {"host": HOST, "port": number, "service": service, "address": self.server.address, "ca_file": "ca.pem"}
        return {key: value for key, value in (found | more).items() if value is not None}

    def imap(self, *, implicit: bool = False) -> dict[str, Any]:
        dovecot = self.server.dovecot
        port, service = (dovecot.tls_port, "imaps") if implicit else (dovecot.port, "imap")
        return {"host": HOST, "port": port, "service": service, "address": "127.0.0.1", "ca_file": "ca.pem"}


def secured(net: Loopback, folder: Path) -> Secured:
    """Made, not started."""
    server = MailServer(HOST, net.address(20), {})
    signed = authority().sign
    shown = {
        "good": signed(HOST),
        "soon": signed(HOST, SOON),
        "ended": signed(HOST, _ENDED),
        "named": signed("mail.other.example"),
        "self": self_signed(HOST),
    }
    postfix, dovecot = server.postfix, server.dovecot
    for name, certificate in shown.items():
        (postfix.root / f"{name}.pem").write_bytes(certificate.key + certificate.pem)
    (dovecot.root / "cert.pem").write_bytes(shown["good"].pem)
    (dovecot.root / "key.pem").write_bytes(shown["good"].key)
    with dovecot.config.open("a") as config:
        config.write(_NO_PENALTIES)
    (folder / "ca.pem").write_bytes(authority().pem)
    with (postfix.root / "main.cf").open("a") as main, (postfix.root / "master.cf").open("a") as master:
        main.write(_MAIN.format(root=postfix.root))
        master.write("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        for port, options in _PORTS.values():
            master.write(
                _SUBMISSION.format(
                    address=server.address, port=port, auth=dovecot.auth, milter=server.opendkim.milter,
                    options=options.format(root=postfix.root),
                )
            )  # fmt: skip
    return Secured(server, folder, shown)


def reload(made: Secured) -> None:
    """OpenDKIM looks at its tables again."""
    subprocess.run([made.server.opendkim.reload], check=True)
