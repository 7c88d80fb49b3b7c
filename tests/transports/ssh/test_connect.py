"""Who is let in, and to whom nothing is sent: against a real sshd."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.errors import ObserveError, SecretError, WriteError
from reconciler.model.secret import Secret
from reconciler.transports.ssh.options import Ssh
from reconciler.transports.ssh.transport import open_ssh
from tests.lab.ports import own_port
from tests.lab.sshd import Sshd

PHRASE = "Correct-Horse-7"


class Safe:
    """Knows one passphrase and a wrong one."""

    def reveal(self, reference: str) -> Secret:
        known = {"env:RIGHT": PHRASE, "env:WRONG": "wrong-" + PHRASE}
        if reference not in known:
            raise SecretError(f"{reference}: not there")
        return Secret(known[reference])


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd(host_key_types=("ed25519", "ecdsa", "rsa"))
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def ask(sshd: Sshd, **options: object) -> str:
    """Log in and do something; what was said if that failed, else nothing."""
    transport = open_ssh(sshd.ssh(**options), sshd.root, Safe())
    said = ""
    try:
        transport.stat(Path("/"))
    except ObserveError as error:
        said = str(error)
    finally:
        transport.close()
    assert PHRASE not in said
    return said


@pytest.mark.daemon
def test_a_key_that_is_known_opens_the_door(sshd: Sshd) -> None:
    assert ask(sshd) == ""


@pytest.mark.daemon
def test_an_unknown_machine_is_refused_until_the_printed_line_is_added(sshd: Sshd, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("")
    before = sshd.log().count("publickey")
    said = ask(sshd, known_hosts=str(mine))
    assert sshd.fingerprint() in said
    assert f"127.0.0.1:{sshd.port}" in said
    line = re.search(rf"add this line to {re.escape(str(mine))}: (\S+ \S+ \S+)", said)
    assert line
    assert sshd.log().count("publickey") == before
    mine.write_text(line[1] + "\n")
    assert ask(sshd, known_hosts=str(mine)) == ""


@pytest.mark.daemon
def test_a_changed_host_key_is_refused_loudly_before_anything_is_sent(sshd: Sshd, tmp_path: Path) -> None:
    sshd.make_key("another")
    mine = tmp_path / "mine"
    mine.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public('another')}\n")
    before = sshd.log().count("publickey")
    said = ask(sshd, known_hosts=str(mine))
    assert "THE HOST KEY HAS CHANGED" in said
    assert sshd.fingerprint() in said
    assert sshd.log().count("publickey") == before


@pytest.mark.daemon
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_machine_is_known_by_any_one_of_its_keys(sshd: Sshd, tmp_path: Path, kind: str) -> None:
    mine = tmp_path / "mine"
    mine.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public(f'host_{kind}')}\n")
    assert ask(sshd, known_hosts=str(mine)) == ""
    assert ask(sshd, known_hosts=None, host_key=sshd.fingerprint(kind)) == ""


@pytest.mark.daemon
def test_a_wrong_fingerprint_is_refused_loudly_before_anything_is_sent(sshd: Sshd) -> None:
    wrong = sshd.fingerprint()[:-3] + "AAA"
    before = sshd.log().count("publickey")
    said = ask(sshd, host_key=wrong)
    assert "THE HOST KEY IS NOT THE ONE IN THE OPTIONS" in said
    assert all(sshd.fingerprint(kind) in said for kind in ("ed25519", "ecdsa", "rsa"))
    assert sshd.log().count("publickey") == before


@pytest.mark.daemon
def test_a_users_key_that_is_not_authorised_comes_with_the_line_that_authorises_it(sshd: Sshd) -> None:
    key = sshd.make_key("stranger")
    said = ask(sshd, key_file=str(key))
    assert "does not let" in said
    assert sshd.public("stranger") in said
    authorised = sshd.root / "authorized_keys"
    stood = authorised.read_text()
    line = re.search(r"there: (\S+ \S+)\. ", said)
    assert line is not None
    authorised.write_text(stood + line[1] + "\n")
    assert ask(sshd, key_file=str(key)) == ""
    authorised.write_text(stood)


@pytest.mark.daemon
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_passphrase_is_revealed_when_the_key_is_used(sshd: Sshd, kind: str) -> None:
    name = f"locked_{kind}"
    key = str(sshd.make_key(name, kind, PHRASE))
    authorised = sshd.root / "authorized_keys"
    stood = authorised.read_text()
    authorised.write_text(f"{stood}{sshd.public(name)}\n")
    assert ask(sshd, key_file=key, key_passphrase="env:RIGHT") == ""
    assert "the passphrase from env:WRONG does not fit" in ask(sshd, key_file=key, key_passphrase="env:WRONG")
    assert "set key_passphrase" in ask(sshd, key_file=key)
    transport = open_ssh(sshd.ssh(key_file=key, key_passphrase="env:GONE"), sshd.root, Safe())
    with pytest.raises(SecretError):
        transport.stat(Path("/"))
    authorised.write_text(stood)


@pytest.mark.daemon
def test_a_key_file_that_is_missing_or_no_key_is_named(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    assert f"{tmp_path}/none, the private key for" in ask(sshd, key_file=str(tmp_path / "none"))
    assert "no private key at all" in ask(sshd, key_file=str(tmp_path / "text"))


@pytest.mark.daemon
def test_without_a_key_file_the_agents_keys_are_used(sshd: Sshd, tmp_path: Path, monkeypatch) -> None:
    agent_socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", agent_socket], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent_socket))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert "none of the keys of the SSH agent and of ~/.ssh" in ask(sshd, key_file=None)
        subprocess.run(["ssh-add", "-q", sshd.user_key], check=True)
        assert ask(sshd, key_file=None) == ""
    finally:
        agent.terminate()
        agent.communicate()


@pytest.mark.daemon
def test_without_a_key_file_and_an_agent_the_users_own_keys_are_used(sshd: Sshd, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(sshd.user_key.read_bytes())
    (tmp_path / ".ssh" / "known_hosts").write_bytes(sshd.known_hosts.read_bytes())
    assert ask(sshd, key_file=None, known_hosts=None) == ""


def test_a_port_where_nobody_listens_is_named(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    port = own_port()
    transport = open_ssh(Ssh(host="127.0.0.1", port=port, known_hosts="known"), tmp_path, Safe())
    with pytest.raises(ObserveError, match=rf"127.0.0.1:{port} could not be reached over SSH: .*whether sshd runs"):
        transport.read(Path("/etc/passwd"))
    with pytest.raises(WriteError, match=r"/f could not be written: .*could not be reached.*Nothing was written"):
        transport.write(Path("/f"), b"")
    with pytest.raises(WriteError, match=r"true on 127.0.0.1:\d+ was not started"):
        transport.run(["true"])


def test_a_machine_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as plug:
        port = plug.getsockname()[1]
        taken: list[socket.socket] = []
        thread = threading.Thread(target=lambda: taken.append(plug.accept()[0]))
        thread.start()
        transport = open_ssh(Ssh(host="127.0.0.1", port=port, known_hosts="known", timeout=0.3), tmp_path, Safe())
        try:
            with pytest.raises(ObserveError, match=r"could not be reached over SSH: "):
                transport.stat(Path("/"))
        finally:
            thread.join()
            taken[0].close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""}, {"host": "root@mail.example.org"}, {"host": "a b"}, {"host": "h", "port": 0},
        {"host": "h", "x": 1}, {"host": "h", "host_key": "MD5:aa:bb"}, {"host": "h", "host_key": "SHA256:short"},
        {"host": "h", "key_passphrase": PHRASE}, {"host": "h", "timeout": 0},
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_refused_without_repeating_secrets(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Ssh.model_validate(wrong)
    assert PHRASE not in str(caught.value)


def test_nothing_of_ssh_is_imported_before_it_is_asked_for() -> None:
    program = "import sys, reconciler.transports.ssh.options; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
