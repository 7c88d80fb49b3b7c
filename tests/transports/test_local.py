import errno
import os
import stat
import warnings
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, WriteError
from reconciler.ports import Stat, Transport
from reconciler.transports.local import LocalTransport

ROOT = os.geteuid() == 0


@pytest.fixture
def transport() -> Transport:
    return LocalTransport()


def mine(mode: int) -> Stat:
    return Stat(os.geteuid(), os.getegid(), mode, ())


def test_what_is_not_there_is_none_and_no_error(transport, tmp_path):
    gone = tmp_path / "no" / "such" / "file"
    assert transport.stat(gone) is None
    assert transport.read(gone) is None
    assert transport.read_many([gone]) == {}
    assert transport.read_links([gone]) == {}
    transport.remove(tmp_path / "gone")


def test_a_file_used_as_a_directory_is_nothing_there(transport, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    assert transport.stat(file / "below") is None
    assert transport.read(file / "below") is None


def test_a_write_is_read_back(transport, tmp_path):
    transport.write(tmp_path / "f", b"one\n")
    assert transport.read(tmp_path / "f") == b"one\n"
    assert transport.read_many([tmp_path / "f", tmp_path / "g"]) == {tmp_path / "f": b"one\n"}


def test_the_signature_changes_with_the_content_even_at_the_same_size(transport, tmp_path):
    path = tmp_path / "f"
    seen = set()
    for content in (b"a", b"b", b"c"):
        transport.write(path, content)
        seen.add(transport.stat(path).signature)
    assert len(seen) == 3
    assert transport.stat(path).signature == transport.stat(path).signature


def test_a_rewrite_keeps_the_mode(transport, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o604)
    transport.write(path, b"new", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_a_rewrite_keeps_the_owner(transport, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"old")
    os.chown(path, 5123, 5124)
    transport.write(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (5123, 5124)


@pytest.mark.skipif(not ROOT, reason="only root gives files away")
def test_a_new_file_link_and_directory_belong_to_whom_they_are_made_for(transport, tmp_path):
    like = Stat(5123, 5124, 0o700, ())
    transport.make_directory(tmp_path / "a" / "b", like=like)
    transport.write(tmp_path / "a" / "b" / "f", b"x", like=like)
    transport.link(tmp_path / "a" / "b" / "l", "f")
    for made in (tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "f", tmp_path / "a" / "b" / "l"):
        found = made.lstat()
        assert (found.st_uid, found.st_gid) == (5123, 5124), made


def test_a_new_file_has_the_asked_mode_or_that_of_its_pattern(transport, tmp_path):
    transport.write(tmp_path / "f", b"", mode=0o600)
    transport.write(tmp_path / "g", b"", like=mine(0o604))
    transport.write(tmp_path / "h", b"")
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in "fgh"] == [0o600, 0o604, 0o640]


def test_a_directory_is_made_with_its_parents_and_again_without_harm(transport, tmp_path):
    transport.make_directory(tmp_path / "a" / "b", like=mine(0o711))
    transport.make_directory(tmp_path / "a" / "b", like=mine(0o700))
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o711
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o711


def test_a_write_goes_through_a_symbolic_link(transport, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_bytes(b"old")
    (tmp_path / "l").symlink_to("real/f")
    transport.write(tmp_path / "l", b"new")
    assert (tmp_path / "l").is_symlink()
    assert (tmp_path / "real" / "f").read_bytes() == b"new"
    assert sorted(p.name for p in (tmp_path / "real").iterdir()) == ["f"]


def test_links_are_made_replaced_read_as_written_and_removed_without_their_target(transport, tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    link = tmp_path / "l"
    transport.link(link, "b")
    transport.link(link, "./a")
    assert transport.read_links([link, tmp_path / "a", tmp_path]) == {link: "./a"}
    transport.remove(link)
    assert (tmp_path / "a").exists()
    assert not link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_a_link_does_not_replace_a_file(transport, tmp_path):
    (tmp_path / "f").write_bytes(b"mail rules")
    with pytest.raises(WriteError, match=r"/f could not be written: .*no symbolic link"):
        transport.link(tmp_path / "f", "x")
    assert (tmp_path / "f").read_bytes() == b"mail rules"


def test_a_directory_or_a_pipe_is_not_read_as_a_file(transport, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ObserveError, match=r"could not be read: it is not a regular file; .* plan again"):
            transport.read(path)


def test_a_directory_is_not_replaced_or_removed_as_a_file(transport, tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(WriteError, match="/d could not be written"):
        transport.write(tmp_path / "d", b"x")
    with pytest.raises(WriteError, match="/d could not be written"):
        transport.remove(tmp_path / "d")


def test_a_circle_of_links_is_named(transport, tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ObserveError, match=r"/a could not be read: .*mend the symbolic links"):
        transport.read(tmp_path / "a")
    with pytest.raises(WriteError, match=r"/a could not be written: .*mend the symbolic links"):
        transport.write(tmp_path / "a", b"x")


def test_a_missing_directory_is_named_with_the_next_step(transport, tmp_path):
    with pytest.raises(WriteError, match=r"no such file or directory.*make the directory"):
        transport.write(tmp_path / "none" / "f", b"x")


def test_a_file_stands_where_a_directory_should_be(transport, tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(WriteError, match="/f/d could not be written"):
        transport.make_directory(tmp_path / "f" / "d")
    with pytest.raises(WriteError, match="/f could not be written"):
        transport.make_directory(tmp_path / "f")


def as_nobody(act):
    """Run ``act`` in a child that is no root, and give the text of the ReconcilerError that it raises."""
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on threads: the child starts none
        child = os.fork()
    if child == 0:
        try:
            if ROOT:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            act()
        except (ObserveError, WriteError) as error:
            os.write(write_end, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end) as pipe:
        return pipe.read()


@pytest.fixture
def open_folder(tmp_path):
    """A folder that anybody may reach: pytest's own are for their user only."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def test_an_unreadable_file_says_so(transport, open_folder):
    (open_folder / "f").write_bytes(b"secret")
    (open_folder / "f").chmod(0o000)
    said = as_nobody(lambda: transport.read(open_folder / "f"))
    assert said.startswith(f"ObserveError: {open_folder}/f could not be read: permission denied; run as a user who may")


def test_a_folder_that_may_not_be_written_says_so(transport, open_folder):
    (open_folder / "f").write_bytes(b"old")
    open_folder.chmod(0o555)
    said = as_nobody(lambda: transport.write(open_folder / "f", b"new"))
    open_folder.chmod(0o755)
    assert said.startswith(f"WriteError: {open_folder}/f could not be written: permission denied")
    assert (open_folder / "f").read_bytes() == b"old"


@pytest.mark.skipif(not ROOT, reason="needs a file of somebody else")
def test_an_ordinary_user_does_not_take_over_a_file_of_somebody_else(transport, open_folder):
    (open_folder / "f").write_bytes(b"old")
    open_folder.chmod(0o777)
    said = as_nobody(lambda: transport.write(open_folder / "f", b"new"))
    assert "WriteError" in said
    assert (open_folder / "f").read_bytes() == b"old"
    assert [p.name for p in open_folder.iterdir()] == ["f"]


@pytest.mark.skipif(not ROOT, reason="needs somebody else to make things for")
def test_what_an_ordinary_user_makes_belongs_to_that_user(transport, open_folder):
    open_folder.chmod(0o777)
    said = as_nobody(lambda: transport.write(open_folder / "f", b"new", like=Stat(0, 0, 0o640, ())))
    assert said == ""
    assert (open_folder / "f").stat().st_uid == 65534


def test_a_full_disk_leaves_the_old_file_and_no_litter(transport, tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"old")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match=r"/f could not be written: no space left on device.*make room"):
        transport.write(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_program_gets_its_input_and_gives_its_output(transport):
    assert transport.run(["cat"], stdin=b"one\ntwo") == b"one\ntwo"


def test_arguments_are_never_read_by_a_shell(transport):
    assert transport.run(["echo", "$HOME; ls"]) == b"$HOME; ls\n"


def test_a_program_that_fails_is_quoted(transport):
    with pytest.raises(WriteError, match=r"ls '?/no such'? ended with status 2: ls: .*No such file"):
        transport.run(["ls", "/no such"])


def test_a_program_that_is_not_there_is_named(transport):
    with pytest.raises(WriteError, match=r"/no/program x could not be started: .*is it installed"):
        transport.run(["/no/program", "x"])


def test_programs_are_found_by_name_and_by_path(transport):
    assert Path(transport.which("ls")).is_absolute()
    assert transport.which("/bin/sh") == "/bin/sh"
    assert transport.which("no-such-program-here") is None
