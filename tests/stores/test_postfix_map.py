import stat

import pytest

from reconciler.errors import WriteError
from reconciler.transports.local import LocalTransport
from tests.support.server_files import alias


def program(world, text):
    path = world.put("postmap", "#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def indexed(world, tmp_path):
    """A world whose postmap, a shell script, notes its arguments and copies the source to the index."""
    w = world("ann@example.org:x\n", "a@example.org x@x.org\n", virtual_alias_maps="virtual")
    w.options["postmap"] = program(w, f'echo "$@" >> {tmp_path}/log\ncp "${{1#*:}}" "${{1#*:}}.db"\n')
    return w


def test_an_indexed_map_gets_its_index(indexed):
    indexed.create(alias("b", "x@x.org"))
    assert indexed.text("log") == f"hash:{indexed.folder}/.virtual.ahead\nhash:{indexed.folder}/virtual\n"
    assert indexed.text("virtual.db") == indexed.text("virtual")
    assert not list(indexed.folder.glob(".virtual*"))


class Killed(BaseException):
    """The end of the process, without a chance to put anything back."""


@pytest.mark.parametrize("last", range(1, 7))
def test_a_run_that_is_killed_leaves_no_alias_that_postfix_does_not_see(indexed, last):
    """Whatever the source says, and a plan takes for done, the index says too."""

    class Mortal(LocalTransport):
        left = last

        def _live(self):
            self.left -= 1
            if self.left <= 0:
                raise Killed

        def write(self, path, content, **options):
            self._live()
            super().write(path, content, **options)

        def run(self, argv, **options):
            self._live()
            return super().run(argv, **options)

        def remove(self, path):
            self._live()
            super().remove(path)

    indexed.create(alias("b", "x@x.org"))
    indexed.open(transport=Mortal())
    with pytest.raises(Killed):
        indexed.create(alias("c", "x@x.org"))
    for name in ("b", "c"):
        line = f"{name}@example.org x@x.org"
        assert line not in indexed.text("virtual") or line in indexed.text("virtual.db")
    indexed.open()
    if "c@example.org" not in indexed.text("virtual"):
        indexed.create(alias("c", "x@x.org"))
    assert "c@example.org x@x.org" in indexed.text("virtual.db")


def test_the_type_may_stand_before_the_path_as_in_main_cf(indexed):
    indexed.options["virtual_alias_maps"] = "btree:virtual"
    indexed.create(alias("b", "x@x.org"))
    assert indexed.text("log").startswith("btree:")


def test_a_map_without_index_is_not_indexed(indexed):
    indexed.options["virtual_alias_maps"] = "texthash:virtual"
    indexed.create(alias("b", "x@x.org"))
    assert indexed.text("log") is None


def test_the_index_of_a_map_that_we_made_goes_with_it(indexed):
    (indexed.folder / "virtual").unlink()
    before = indexed.everything()
    indexed.create(alias("b", "x@x.org"))
    assert stat.S_IMODE((indexed.folder / "virtual").stat().st_mode) == 0o644
    indexed.delete(alias("b"))
    (indexed.folder / "log").unlink()
    assert indexed.everything() == before


@pytest.mark.parametrize("stood", [True, False])
def test_where_the_index_cannot_be_made_the_source_is_put_back(indexed, stood):
    indexed.create(alias("b", "x@x.org"))
    if not stood:
        (indexed.folder / "virtual").unlink()
        (indexed.folder / "virtual.db").unlink()
    before = {name: indexed.text(name) for name in ("virtual", "virtual.db")}
    program(indexed, 'cp "${1#*:}" "${1#*:}.db"\necho "fatal: no" >&2\ngrep -q broken "${1#*:}" && exit 1\nexit 0\n')
    with pytest.raises(WriteError, match=r"postmap hash:\S+/\.virtual\.ahead ended with status 1: fatal: no"):
        indexed.create(alias("broken", "x@x.org"))
    assert {name: indexed.text(name) for name in ("virtual", "virtual.db")} == before


def test_a_named_postmap_that_is_not_there_is_an_error(indexed):
    indexed.options["postmap"] = "/no/postmap"
    before = indexed.everything()
    with pytest.raises(WriteError, match=r"/no/postmap is not on the machine.*mend the option postmap"):
        indexed.create(alias("b", "x@x.org"))
    assert indexed.everything() == before


def test_without_postmap_on_the_machine_the_source_alone_is_written(indexed):
    class Bare(LocalTransport):
        def which(self, program):
            return None

    indexed.options["postmap"] = None
    indexed.open(transport=Bare())
    indexed.create(alias("b", "x@x.org"))
    assert "b@example.org x@x.org" in indexed.text("virtual")
    assert indexed.text("virtual.db") is None


def test_postfix_is_told_of_what_it_does_not_see_by_itself(indexed):
    indexed.options["virtual_alias_maps"] = "texthash:virtual"
    indexed.options["reload"] = ("touch", str(indexed.folder / "reloaded"))
    indexed.create(alias("b", "x@x.org"))
    assert indexed.text("reloaded") == ""


@pytest.mark.parametrize("stood", [True, False])
def test_a_later_failure_puts_source_and_index_back(indexed, stood):
    """The catch-all's map is written before the accounts when a mailbox goes."""

    class FullDisk(LocalTransport):
        def write(self, path, content, **options):
            if path.name == "users":
                raise WriteError(f"{path} could not be written: no space left on device")
            super().write(path, content, **options)

    indexed.options["virtual_mailbox_maps"] = "vmailbox"
    indexed.create(indexed.mailbox("bob"))
    if not stood:
        (indexed.folder / "vmailbox.db").unlink()
    before = {name: text for name, text in indexed.everything().items() if name != "log"}
    indexed.open(transport=FullDisk())
    with pytest.raises(WriteError, match=r"^\S+/users could not be written: no space left on device$"):
        indexed.delete(indexed.mailbox("bob"))
    assert {name: text for name, text in indexed.everything().items() if name != "log"} == before
