import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.loopback import Loopback
from tests.lab.mail_server_postfix import Postfix
from tests.probes.manners import MANNERS, Answering
from tests.probes.secured import Secured, secured

_MAIN = """
smtpd_tls_chain_files = {root}/tls.pem
put_off = check_recipient_access texthash:{root}/put_off
no_bounces = check_sender_access texthash:{root}/no_bounces
no_literals = check_helo_access regexp:{root}/no_literals
"""
_MASTER = "{address}:{port} inet n - n - - smtpd -o smtpd_client_connection_rate_limit=0 {options}\n"


@pytest.fixture(scope="module")
def answering() -> Iterator[Answering]:
    """One Postfix that listens on many ports, with other manners on each."""
    net, root, nowhere = Loopback(), Path(tempfile.mkdtemp(prefix="answering-")), Path("/nowhere")
    root.chmod(0o755)
    routes = {"mx.old.example": "127.0.0.1:9"}
    postfix = Postfix(root / "postfix", "mail.new.example", net.address(20), nowhere, nowhere, "", routes)
    _set_up(postfix)
    try:
        postfix.start()
        yield Answering(postfix)
    finally:
        postfix.stop()
        shutil.rmtree(root)
        net.close()


def _set_up(postfix: Postfix) -> None:
    root = postfix.root
    postfix.map("domains", {"example.org": "OK", "catch.example": "OK"})
    people = [f"{name}@example.org" for name in ("ann", "bob", *(f"u{number}" for number in range(300)))]
    postfix.map("mailboxes", {person: f"{person}/" for person in people})
    postfix.map("virtual", {"info@example.org": "ann@example.org", "@catch.example": "ann@example.org"})
    (root / "put_off").write_text("bob@example.org 450 4.2.0 Greylisted, come again\n")
    (root / "no_bounces").write_text("<> 550 5.7.1 No bounces here\n")
    (root / "no_literals").write_text(r"/^\[/ 550 5.7.1 Say your name" "\n")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", root / "key.pem", "-out", root / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    (root / "tls.pem").write_text((root / "key.pem").read_text() + (root / "cert.pem").read_text())
    with (root / "main.cf").open("a") as main, (root / "master.cf").open("a") as master:
        main.write(_MAIN.format(root=root))
        master.write("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        for port, options in MANNERS.values():
            master.write(_MASTER.format(address=postfix.address, port=port, options=options))


@pytest.fixture(scope="module")
def people() -> Iterator[Secured]:
    """A mail server with certificates, and no domain yet."""
    net, folder = Loopback(), Path(tempfile.mkdtemp(prefix="people-"))
    made = secured(net, folder)
    try:
        made.server.start()
        yield made
    finally:
        made.server.remove()
        shutil.rmtree(folder)
        net.close()
