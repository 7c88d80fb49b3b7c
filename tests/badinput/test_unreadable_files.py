"""A file that cannot be read: said with its path and what to do, before anything is written."""

import os
import shutil

import pytest

from tests.badinput.conftest import JOURNAL, LIKE_EVERYBODY, goes_on, nothing_changes

SERVERS = ("old/users", "old/virtual", "new/users", "new/virtual", "new/domains", "new/opendkim/KeyTable")
READ = (*SERVERS, "new/opendkim/SigningTable", "example.org.zone")
COMMANDS = (("plan",), ("apply", "--yes"), ("status",))


def a_folder(path):
    path.mkdir()


def a_dangling_link(path):
    path.symlink_to("nowhere")


def a_link_to_itself(path):
    path.symlink_to(path.name)


def a_fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize("name", READ)
def test_what_stands_in_the_place_of_a_file_is_named_and_nothing_is_written(run, world, spec, name):
    path = world / name
    kept = path.with_name("kept")
    path.rename(kept)
    for becomes in (a_folder, a_dangling_link, a_link_to_itself, a_fifo):
        becomes(path)
        with nothing_changes(world, JOURNAL):
            for command, *options in COMMANDS:
                result = run(command, spec, *options)
                assert (result.code, result.out) == (1, "")
                assert str(path) in result.err
                assert any(todo in result.err for todo in ("mend", "name a file", "check the path")), result.err
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    kept.rename(path)
    goes_on(run, spec)


@pytest.mark.parametrize("name", ["old/users", "example.org.zone"])
def test_a_file_without_permission_is_named_and_nothing_is_written(process, run, world, spec, name):
    path = world / name
    mode = path.stat().st_mode
    path.chmod(0)
    with nothing_changes(world, JOURNAL):
        result = process("plan", spec, before=LIKE_EVERYBODY)
        assert result.code == 1
        assert f"{path} could not be read: permission denied" in result.err
        assert "run as a user who may" in result.err
    path.chmod(mode)
    goes_on(run, spec)


def test_a_spec_without_permission_is_an_error_that_says_what_to_do(process, world, spec):
    spec.chmod(0)
    with nothing_changes(world):
        result = process("apply", spec, "--yes", before=LIKE_EVERYBODY)
        assert result.code == 1
        assert f"{spec}: cannot be read: permission denied; run as a user who may read it" in result.err


@pytest.mark.parametrize(
    ("becomes", "says"),
    [
        (a_folder, "cannot be read: is a directory; name the file itself"),
        (a_dangling_link, "cannot be read: no such file or directory; check the path"),
        (a_link_to_itself, "cannot be read: too many levels of symbolic links; mend the symbolic link"),
        (a_fifo, "is empty"),  # nobody writes into it
    ],
)
def test_what_stands_in_the_place_of_the_spec_is_named(run, world, spec, becomes, says):
    spec.unlink()
    becomes(spec)
    with nothing_changes(world):
        for command in ("validate", "plan", "apply", "status", "history"):
            result = run(command, spec)
            assert result.code == 1
            assert f"{spec}: {says}" in result.said


def test_a_spec_may_come_through_a_pipe(start, world, spec):
    read, write = os.pipe()
    os.write(write, spec.read_bytes())
    os.close(write)
    child = start("validate", f"/dev/fd/{read}", pass_fds=[read])
    os.close(read)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert out.endswith(": sound\n")


@pytest.mark.parametrize(
    ("becomes", "says"),
    [
        (a_folder, "{spec}:{line}:17: {file} cannot be read: is a directory"),
        (a_dangling_link, "{spec}:{line}:17: {file} cannot be read: no such file or directory"),
        (a_fifo, "{file}:1:1: the file is empty"),
    ],
)
def test_an_unreadable_list_of_mailboxes_is_told_where_the_spec_names_it(run, world, spec, becomes, says):
    spec.write_text(spec.read_text() + "mailboxes_from: people.csv\n")
    line = spec.read_text().count("\n")
    becomes(world / "people.csv")
    with nothing_changes(world):
        result = run("plan", spec)
        assert result.code == 1
        assert says.format(spec=spec, line=line, file=world / "people.csv") in result.err


def test_a_path_through_a_file_is_named(run, world, spec):
    shutil.rmtree(world / "new" / "opendkim" / "keys")
    (world / "new" / "opendkim" / "keys").write_text("this should be a folder\n")
    with nothing_changes(world, JOURNAL, "new/domains"):
        result = run("apply", spec, "--yes")
        assert result.code == 1
        assert "keys/new2026.example.org.private could not be written: not a directory" in result.err
        assert "by hand" not in result.err  # nothing of it was written, so nothing is to be put back
    (world / "new" / "opendkim" / "keys").unlink()
    (world / "new" / "opendkim" / "keys").mkdir()
    goes_on(run, spec)
