"""Lines of known_hosts as OpenSSH reads them, and what a person is told about a key."""

import base64
import hmac
from pathlib import Path

import pytest

from reconciler.errors import ObserveError
from reconciler.transports.ssh.host_keys import HostKey, KnownHosts, judge_fingerprint

KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519" + b"k" * 32)
OTHER = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519" + b"o" * 32)
RSA = HostKey("ssh-rsa", b"\0\0\0\x07ssh-rsa" + b"r" * 64)


@pytest.fixture
def known(tmp_path: Path):
    def read(*lines: str, host: str = "mail.example.org", port: int = 22) -> KnownHosts:
        file = tmp_path / "known_hosts"
        file.write_text("".join(f"{line}\n" for line in lines))
        return KnownHosts(host, port, [file], must_exist=True)

    return read


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    "names",
    [
        "mail.example.org", "other,mail.example.org", "Mail.Example.ORG", "*.example.org", "mail.example.???",
        hashed("mail.example.org"),
    ],
)  # fmt: skip
def test_a_line_names_a_machine_in_every_way_that_openssh_knows(known, names: str) -> None:
    known(f"{names} {KEY.text} a comment").judge(KEY)
    known("# a comment", "", f"{names}\t{KEY.text.replace(' ', chr(9))}").judge(KEY)


@pytest.mark.parametrize(
    "names",
    [
        "example.org", "mail.example.org.evil", "*.example.org,!mail.example.org", "[mail.example.org]:2222",
        hashed("example.org"), "|1|broken", "|1|%%|%%",
    ],
)  # fmt: skip
def test_a_line_about_another_machine_is_not_taken_for_ours(known, names: str) -> None:
    with pytest.raises(ObserveError, match="does not know"):
        known(f"{names} {KEY.text}").judge(KEY)


def test_a_port_of_its_own_is_part_of_the_name(known) -> None:
    known(f"[mail.example.org]:2222 {KEY.text}", port=2222).judge(KEY)
    with pytest.raises(ObserveError, match="does not know"):
        known(f"mail.example.org {KEY.text}", port=2222).judge(KEY)


def test_of_several_keys_of_one_type_each_is_accepted(known) -> None:
    both = known(f"mail.example.org {KEY.text}", f"mail.example.org {OTHER.text}")
    both.judge(KEY)
    both.judge(OTHER)


def test_the_types_that_are_known_are_the_ones_to_ask_for(known) -> None:
    lines = [f"mail.example.org {RSA.text}", f"@revoked mail.example.org {KEY.text}"]
    assert known(*lines).types == ("ssh-rsa",)


def test_a_revoked_key_is_refused_though_it_is_known(known) -> None:
    lines = [f"mail.example.org {KEY.text}", f"@revoked * {KEY.text}"]
    with pytest.raises(ObserveError, match=r"known_hosts:2 says is revoked.*nothing was sent"):
        known(*lines).judge(KEY)


def test_an_authority_is_no_host_key(known) -> None:
    with pytest.raises(ObserveError, match="does not know"):
        known(f"@cert-authority mail.example.org {KEY.text}").judge(KEY)


def test_an_unknown_key_comes_with_its_fingerprint_the_line_to_add_and_the_way_to_check(known) -> None:
    with pytest.raises(ObserveError) as caught:
        known("# nothing").judge(KEY)
    said = str(caught.value)
    assert "mail.example.org:22 shows a host key" in said
    assert KEY.fingerprint in said
    assert f"known_hosts: mail.example.org {KEY.text}" in said
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on the server" in said


@pytest.mark.parametrize(("shown", "file"), [(OTHER, "ed25519"), (RSA, "rsa")])
def test_a_changed_key_is_said_loudly_with_both_fingerprints(known, shown: HostKey, file: str) -> None:
    with pytest.raises(ObserveError, match="THE HOST KEY HAS CHANGED") as caught:
        known("# a line", f"mail.example.org {KEY.text}").judge(shown)
    said = str(caught.value)
    assert KEY.fingerprint in said
    assert shown.fingerprint in said
    assert "known_hosts:2 knows" in said
    assert f"ssh_host_{file}_key.pub" in said
    assert "ssh-keygen -R 'mail.example.org'" in said


def test_a_file_of_host_keys_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ObserveError, match=r"none does not exist, so no host key is known"):
        KnownHosts("h", 22, [tmp_path / "none"], must_exist=True)
    KnownHosts("h", 22, [tmp_path / "none"], must_exist=False)


def test_a_file_of_host_keys_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObserveError, match=rf"{tmp_path} could not be read \(is a directory\)"):
        KnownHosts("h", 22, [tmp_path], must_exist=False)


def test_a_fingerprint_may_have_its_padding() -> None:
    judge_fingerprint("h:22", KEY.fingerprint, [KEY])
    judge_fingerprint("h:22", KEY.fingerprint + "=", [RSA, KEY])


def test_another_fingerprint_is_said_loudly_with_all_keys_that_were_shown() -> None:
    with pytest.raises(ObserveError, match="THE HOST KEY IS NOT THE ONE") as caught:
        judge_fingerprint("h:22", OTHER.fingerprint, [KEY, RSA])
    assert all(key.fingerprint in str(caught.value) for key in (KEY, RSA, OTHER))
