"""One suite for the Transport port: this machine, and the same machine behind SSH, as its user and through sudo."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.ports import Stat, Transport
from reconciler.transports import file_lock
from reconciler.transports.local import LocalTransport
from reconciler.transports.ssh.transport import open_ssh
from tests.conformance.worlds import Known
from tests.lab.sshd import Sshd

ROOT = os.geteuid() == 0
ODD = [
    "two words", "new\nline", "'single' \"double\"", "$HOME `id` $(id)", "-rf", "back\\slash\\n", "ends in newline\n",
    "tab\tand\x01", "ümläut", "\udcff\udcfe not UTF-8", "a -> b", '" -> "', "*?[x]", "!bang", "{a,b}",
]  # fmt: skip


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


@pytest.fixture(
    params=[
        "local",
        pytest.param("ssh", marks=pytest.mark.daemon),
        pytest.param("ssh with sudo", marks=pytest.mark.daemon),
    ]
)
def transport(request) -> Iterator[Transport]:
    if request.param == "local":
        yield LocalTransport()
        return
    sshd = request.getfixturevalue("sshd")
    if not ROOT:  # whoever runs the tests may lack a sudo that asks for no password
        sshd.program("sudo", '[ "$1 $2" = "-n --" ] && shift 2 && exec "$@"')
    opened = open_ssh(sshd.ssh(sudo=request.param != "ssh"), Path("/"), Known())
    yield opened
    opened.close()


@pytest.fixture(params=["local", pytest.param("ssh", marks=pytest.mark.daemon)])
def impatient(request) -> Iterator[Transport]:
    if request.param == "local":
        yield LocalTransport(lock_patience=0)
        return
    opened = open_ssh(request.getfixturevalue("sshd").ssh(), Path("/"), Known(), lock_patience=0)
    yield opened
    opened.close()


def mine(mode: int) -> Stat:
    return Stat(os.geteuid(), os.getegid(), mode, ())


def test_what_is_not_there_is_none_and_no_error(transport: Transport, tmp_path: Path) -> None:
    gone = tmp_path / "no" / "such" / "file"
    assert transport.stat(gone) is None
    assert transport.read(gone) is None
    assert transport.read_many([gone]) == {}
    assert transport.read_many([]) == {}
    assert transport.read_links([gone]) == {}
    assert transport.read_links([]) == {}
    transport.remove(tmp_path / "gone")


def test_a_file_used_as_a_directory_is_nothing_there(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    below = tmp_path / "file" / "below"
    assert transport.stat(below) is None
    assert transport.read(below) is None
    assert transport.read_links([below]) == {}


def test_a_link_to_nothing_is_nothing_there(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("nowhere")
    assert transport.stat(tmp_path / "l") is None
    assert transport.read(tmp_path / "l") is None
    assert transport.read_links([tmp_path / "l"]) == {tmp_path / "l": "nowhere"}


@pytest.mark.parametrize("content", [b"", b"one\n", b"\0\r\n\0", bytes(range(256)) * 4000], ids=len)
def test_every_octet_that_is_written_is_read_back(transport: Transport, tmp_path: Path, content: bytes) -> None:
    transport.write(tmp_path / "f", content)
    assert transport.read(tmp_path / "f") == content == (tmp_path / "f").read_bytes()
    assert transport.read_many([tmp_path / "f", tmp_path / "g"]) == {tmp_path / "f": content}


@pytest.mark.parametrize("name", ODD)
def test_any_name_that_a_file_can_have_is_one(transport: Transport, tmp_path: Path, name: str) -> None:
    folder, file, link = tmp_path / name, tmp_path / name / name, tmp_path / name / "link"
    transport.make_directory(folder)
    transport.write(file, b"content")
    transport.link(link, name)
    assert {path.name for path in folder.iterdir()} == {name, "link"}
    assert str(link.readlink()) == name
    assert transport.stat(file) == transport.stat(link) == LocalTransport().stat(file)
    assert transport.read_many([file, link]) == {file: b"content", link: b"content"}
    assert transport.read_links([file, link, folder]) == {link: name}
    transport.remove(link)
    transport.remove(file)
    assert list(folder.iterdir()) == []


def test_names_that_are_one_file_and_names_given_twice_are_all_read(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    os.link(tmp_path / "a", tmp_path / "b")
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "a"]
    assert transport.read_many(paths) == {tmp_path / "a": b"x", tmp_path / "b": b"x"}


def test_a_stat_says_what_the_file_is(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "f").chmod(0o4750)
    found = transport.stat(tmp_path / "f")
    assert found is not None
    assert (found.uid, found.gid, found.mode) == (os.geteuid(), os.getegid(), 0o4750)
    assert found == LocalTransport().stat(tmp_path / "f")


def test_the_signature_changes_with_the_content_even_at_the_same_size(transport: Transport, tmp_path: Path) -> None:
    seen = set()
    for content in (b"a", b"b", b"c"):
        transport.write(tmp_path / "f", content)
        found = transport.stat(tmp_path / "f")
        assert found is not None
        assert found == transport.stat(tmp_path / "f")
        seen.add(found.signature)
    assert len(seen) == 3


def test_a_rewrite_keeps_the_mode(transport: Transport, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o604)
    transport.write(path, b"new", like=mine(0o640), mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_a_rewrite_keeps_the_owner(transport: Transport, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    os.chown(path, 5123, 5124)
    transport.write(path, b"new", like=mine(0o640))
    assert (path.stat().st_uid, path.stat().st_gid) == (5123, 5124)


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_what_is_new_belongs_to_whom_it_is_made_for(transport: Transport, tmp_path: Path) -> None:
    like = Stat(5123, 5124, 0o700, ())
    made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "f", tmp_path / "a" / "b" / "l"]
    transport.make_directory(made[1], like=like)
    transport.write(made[2], b"x", like=like)
    transport.link(made[3], "f")
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(5123, 5124)}


def test_a_new_file_has_the_asked_mode_or_that_of_its_pattern(transport: Transport, tmp_path: Path) -> None:
    transport.write(tmp_path / "f", b"", mode=0o600)
    transport.write(tmp_path / "g", b"", like=mine(0o604))
    transport.write(tmp_path / "h", b"")
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in "fgh"] == [0o600, 0o604, 0o640]


def test_a_directory_is_made_with_its_parents_and_again_without_harm(transport: Transport, tmp_path: Path) -> None:
    transport.make_directory(tmp_path / "a" / "b", like=mine(0o711))
    transport.make_directory(tmp_path / "a" / "b", like=mine(0o700))
    transport.make_directory(tmp_path / "c")
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("a", "a/b", "c")] == [0o711, 0o711, 0o750]


def test_a_write_goes_through_a_symbolic_link(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_bytes(b"old")
    (tmp_path / "l").symlink_to("real/f")
    transport.write(tmp_path / "l", b"new")
    assert (tmp_path / "l").is_symlink()
    assert (tmp_path / "real" / "f").read_bytes() == b"new"
    assert sorted(p.name for p in (tmp_path / "real").iterdir()) == ["f"]


def test_links_are_made_replaced_and_removed_without_their_target(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    link = tmp_path / "l"
    transport.link(link, "b")
    transport.link(link, "./a")
    assert transport.read_links([link, tmp_path / "a", tmp_path]) == {link: "./a"}
    transport.remove(link)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_a_link_to_a_directory_is_replaced_and_nothing_is_put_into_the_directory(
    transport: Transport, tmp_path: Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("d")
    transport.link(tmp_path / "l", "elsewhere")
    assert str((tmp_path / "l").readlink()) == "elsewhere"
    assert list((tmp_path / "d").iterdir()) == []


def test_a_link_does_not_replace_a_file(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"mail rules")
    with pytest.raises(WriteError, match=r"/f .*could not be written: .*no symbolic link"):
        transport.link(tmp_path / "f", "x")
    assert (tmp_path / "f").read_bytes() == b"mail rules"


def test_a_directory_or_a_pipe_is_not_read_as_a_file(transport: Transport, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ObserveError, match=r"could not be read: it is not a regular file; .* plan again"):
            transport.read(path)


def test_a_directory_is_not_replaced_or_removed_as_a_file(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with pytest.raises(WriteError, match=r"/d .*could not be written"):
        transport.write(tmp_path / "d", b"x")
    with pytest.raises(WriteError, match=r"/d .*could not be written"):
        transport.remove(tmp_path / "d")
    assert list((tmp_path / "d").iterdir()) == []


def test_a_circle_of_links_is_named(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for act in (transport.stat, transport.read):
        with pytest.raises(ObserveError, match=r"/a .*could not be read: .*mend the symbolic links"):
            act(tmp_path / "a")
    with pytest.raises(WriteError, match=r"/a .*could not be written: too many levels of symbolic links"):
        transport.write(tmp_path / "a", b"x")


def test_a_missing_directory_is_named_with_the_next_step(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"no such file or directory.*make its directory"):
        transport.link(tmp_path / "none" / "f", "x")
    with pytest.raises(WriteError, match=r"no such file or directory.*make .*directory"):
        transport.write(tmp_path / "none" / "f", b"x")


def test_a_file_stands_where_a_directory_should_be(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(WriteError, match=r"/f/d .*could not be written"):
        transport.make_directory(tmp_path / "f" / "d")
    with pytest.raises(WriteError, match=r"/f .*could not be written"):
        transport.make_directory(tmp_path / "f")


def test_a_program_gets_its_input_and_gives_its_output(transport: Transport) -> None:
    assert transport.run(["cat"], stdin=b"one\n\0two") == b"one\n\0two"
    assert transport.run(["cat"]) == b""


def test_more_is_sent_and_received_at_once_than_any_pipe_holds(transport: Transport) -> None:
    much = bytes(range(256)) * 40_000
    assert transport.run(["cat"], stdin=much) == much


def test_a_program_may_end_without_reading_its_input(transport: Transport) -> None:
    assert transport.run(["true"], stdin=b"x" * 5_000_000) == b""


@pytest.mark.parametrize("argument", ["$HOME; ls", "a\nb", "", "'", "\\", "*", "~", "-n --"])
def test_arguments_are_never_read_by_a_shell(transport: Transport, argument: str) -> None:
    assert transport.run(["printf", "[%s]", argument]) == f"[{argument}]".encode()


def test_a_program_that_fails_is_quoted(transport: Transport) -> None:
    with pytest.raises(WriteError, match=r"ls '/no such'.* ended with status 2: ls: .*No such file"):
        transport.run(["ls", "/no such"])


def test_a_program_that_is_not_there_is_named(transport: Transport) -> None:
    with pytest.raises(WriteError, match=r"/no/program x.* could not be started: .*is it installed"):
        transport.run(["/no/program", "x"])


def test_programs_are_found_by_name_and_by_path(transport: Transport) -> None:
    found = transport.which("ls")
    assert found
    assert Path(found).is_absolute()
    assert transport.which("/bin/sh") == "/bin/sh"
    assert transport.which("/bin/no-such-program") is None
    assert transport.which("no-such-program-here") is None
    assert transport.which("tmp") is None


def test_a_lock_keeps_processes_of_that_machine_out_and_leaves_nothing_behind(
    transport: Transport, tmp_path: Path
) -> None:
    files = [tmp_path / "users", tmp_path / "virtual"]
    with transport.locked(files):
        for file in files:
            with pytest.raises(WriteError, match=f"/{file.name} could not be locked"), here([file]):
                pass
    assert list(tmp_path.iterdir()) == []
    with here(files):
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            ".users.reconciler-lock",
            ".virtual.reconciler-lock",
        ]


def here(files: list[Path]) -> AbstractContextManager[None]:
    """The lock as a process of this machine takes it, without patience."""
    return file_lock.locked(files, patience=0)


def test_the_lock_of_a_link_is_that_of_its_target(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far/users")
    with (
        transport.locked([tmp_path / "link"]),
        pytest.raises(WriteError, match="/far/users could not be locked"),
        here([tmp_path / "far" / "users"]),
    ):
        pass


def test_a_lock_that_stays_held_is_an_error_in_a_bounded_time(impatient: Transport, tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    with (
        here([files[1]]),
        pytest.raises(
            WriteError, match=r"/b.* could not be locked within 0 seconds: .*another run.*Nothing was written"
        ),
        impatient.locked(files),
    ):
        pass
    with impatient.locked(files):
        pass


def test_a_lock_is_released_where_the_work_fails(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(KeyError), transport.locked([tmp_path / "f"]):
        raise KeyError
    with here([tmp_path / "f"]):
        pass


def test_a_lock_in_no_folder_is_named_with_the_next_step(transport: Transport, tmp_path: Path) -> None:
    with (
        pytest.raises(WriteError, match=r"(?i)/none/f.* could not be written: .*no such file.*make .*directory"),
        transport.locked([tmp_path / "none" / "f"]),
    ):
        pass


def test_a_lock_whose_name_is_a_link_is_not_followed(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / ".f.reconciler-lock").symlink_to("elsewhere")
    with (
        pytest.raises(WriteError, match=r"/f.* could not be written: .*too many levels of symbolic links"),
        transport.locked([tmp_path / "f"]),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_name_that_a_killed_holder_left_is_no_lock(transport: Transport, tmp_path: Path) -> None:
    (tmp_path / ".f.reconciler-lock").touch()
    with transport.locked([tmp_path / "f"]):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("read", "stands"), [(b"a", b"b"), (b"a", None), (None, b"b"), (b"", b"b"), (b"a", b"")])
def test_a_file_that_is_not_what_was_read_is_not_replaced(
    transport: Transport, tmp_path: Path, read: bytes | None, stands: bytes | None
) -> None:
    file = tmp_path / "f"
    if stands is not None:
        file.write_bytes(stands)
    with pytest.raises(StalePlan, match=r"/f.* was changed by somebody else.* plan again"):
        transport.write(file, b"ours", over=read)
    assert (file.read_bytes() if file.exists() else None) == stands
    assert len(list(tmp_path.iterdir())) == (stands is not None)


@pytest.mark.parametrize("read", [None, b"", b"a\n\xff\0"])
def test_a_file_that_is_what_was_read_is_replaced(transport: Transport, tmp_path: Path, read: bytes | None) -> None:
    if read is not None:
        (tmp_path / "f").write_bytes(read)
    transport.write(tmp_path / "f", b"ours", over=read)
    assert (tmp_path / "f").read_bytes() == b"ours"
