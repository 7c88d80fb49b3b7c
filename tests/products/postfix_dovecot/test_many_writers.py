"""Many who write into one server's files: processes here and over SSH, and people who know nothing of locks."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import StalePlan, WriteError
from reconciler.transports.local import LocalTransport
from tests.lab.sshd import Sshd
from tests.support.server_files import World

ROUNDS = 5


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def write_all(folder: Path, domains: dict[str, str]) -> None:
    """A process for each domain, its value the options of SSH or empty; then nothing is lost and nothing is left."""
    (folder / "users").write_text("somebody@else.example:x\n")
    (folder / "virtual").write_text("info@else.example somebody@else.example\n")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.domain_writer", folder, domain, str(ROUNDS), ssh],
            stderr=subprocess.PIPE,
            text=True,
        )
        for domain, ssh in domains.items()
    ]
    assert [process.communicate()[1] for process in running] == [""] * len(running)
    users = {line.partition(":")[0]: line for line in (folder / "users").read_text().splitlines()}
    stay = {f"stays{number}@{domain}" for domain in domains for number in range(ROUNDS)}
    assert users.keys() == stay | {"somebody@else.example"}
    assert all("userdb_quota_rule=*:" in users[name] for name in stay)
    aliases = {line.partition(" ")[0] for line in (folder / "virtual").read_text().splitlines()}
    assert aliases == {f"alias{n}@{d}" for d in domains for n in range(ROUNDS)} | {"info@else.example"}
    assert sorted(path.name for path in folder.iterdir()) == ["users", "virtual"]


def test_eight_processes_that_write_eight_domains_into_one_file_lose_nothing(tmp_path: Path) -> None:
    write_all(tmp_path, {f"d{number}.example": "" for number in range(8)})


@pytest.mark.daemon
def test_processes_here_and_over_ssh_respect_the_same_lock(tmp_path: Path, sshd: Sshd) -> None:
    far = sshd.ssh().model_dump_json(exclude_none=True)
    write_all(tmp_path, {"d0.example": "", "d1.example": far, "d2.example": "", "d3.example": far})


class Disturbed(LocalTransport):
    """Somebody adds a line to a file before one of our calls; one of our writes may fail."""

    def __init__(self, file: Path, at: int, fails: int) -> None:
        super().__init__()
        self._file = file
        self._left = at
        self._writes_left = fails

    def _turn(self) -> None:
        self._left -= 1
        if self._left == 0:
            with self._file.open("a") as file:
                file.write("theirs@else.example x\n" if self._file.name == "virtual" else "theirs@else.example:x\n")

    def read(self, path):
        self._turn()
        return super().read(path)

    def stat(self, path):
        self._turn()
        return super().stat(path)

    def write(self, path, content, **options):
        self._turn()
        self._writes_left -= 1
        if self._writes_left == 0:
            raise WriteError(f"{path} could not be written: no room")
        super().write(path, content, **options)

    @property
    def happened(self) -> bool:
        return self._left <= 0


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(["users", "virtual"]),
    at=st.integers(1, 16),
    fails=st.sampled_from([0, 0, 1, 2, 3]),
    act=st.sampled_from(["create", "delete"]),
)
def test_what_others_write_between_any_two_of_our_calls_is_never_lost(name, at, fails, act):
    with TemporaryDirectory() as folder:
        w = World(Path(folder), "ann@example.org:x\n", "@example.org ann@example.org\n")
        w.create(w.mailbox("eve"))
        eve = w.read("mailbox")["eve@example.org"]
        there = Disturbed(Path(folder) / name, at, fails)
        w.open(transport=there)
        before = w.everything()
        told = ""
        try:
            if act == "create":
                w.create(w.mailbox("dan"))
            else:
                w.delete(eve)
        except (StalePlan, WriteError) as error:
            told = str(error)
        text = w.text(name) or ""
        assert text.count("theirs@else.example") == there.happened
        if not told:
            assert ("dan@example.org" in (w.text("users") or "")) == (act == "create")
            assert ("eve@example.org" in (w.text("users") or "")) == (act == "create")
        elif "could not be put back" not in told:
            other = "virtual" if name == "users" else "users"
            assert (w.text(other) or "").encode() == before[other]
