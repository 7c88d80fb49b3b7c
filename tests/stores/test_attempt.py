import pytest

from reconciler.errors import WriteError
from reconciler.stores.attempt import Attempt
from reconciler.transports.local import LocalTransport


class Stop(Exception):  # noqa: N818 - a test's own
    pass


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "a").chmod(0o604)
    (tmp_path / "link").symlink_to("a")
    return tmp_path


def looks(folder):
    return {
        p.name: (str(p.readlink()) if p.is_symlink() else p.read_bytes(), p.lstat().st_mode) for p in folder.iterdir()
    }


def everything(attempt, folder):
    attempt.write(folder / "a", b"changed")
    attempt.write(folder / "new", b"new")
    attempt.link(folder / "link", "new")
    attempt.link(folder / "new link", "a")
    attempt.write(folder / "a", b"changed again")
    attempt.write(folder / "a", None)
    attempt.remove(folder / "link")
    attempt.remove(folder / "never there")


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt])
def test_whatever_interrupts_puts_everything_back(folder, error):
    before = looks(folder)

    def interrupted():
        with Attempt(LocalTransport()) as attempt:
            everything(attempt, folder)
            assert looks(folder) != before
            raise error

    with pytest.raises(error):
        interrupted()
    assert looks(folder) == before


def test_what_goes_well_stays(folder):
    with Attempt(LocalTransport()) as attempt:
        everything(attempt, folder)
    assert sorted(looks(folder)) == ["new", "new link"]


def test_a_program_looks_again_after_the_files_are_back(folder):
    copy = ("cp", str(folder / "a"), str(folder / "index"))

    def interrupted():
        with Attempt(LocalTransport()) as attempt:
            attempt.write(folder / "a", b"changed")
            attempt.run(copy, again=True)
            assert (folder / "index").read_bytes() == b"changed"
            raise Stop

    with pytest.raises(Stop):
        interrupted()
    assert (folder / "index").read_bytes() == b"a"


def test_what_cannot_be_put_back_is_named_with_the_first_error(folder):
    class Broken(LocalTransport):
        broken = False

        def write(self, path, content, **options):
            if self.broken:
                raise WriteError(f"{path} could not be written: the disk is gone.")
            super().write(path, content, **options)

    transport = Broken()

    def interrupted():
        with Attempt(transport) as attempt:
            attempt.write(folder / "a", b"changed")
            attempt.link(folder / "link", "elsewhere")
            transport.broken = True
            raise WriteError("first")

    with pytest.raises(WriteError, match=r"^first; and what .* by hand: .*/a could not be written: the disk is gone"):
        interrupted()
    assert (folder / "link").readlink().name == "a"
