"""Postfix, Dovecot and OpenDKIM on a machine behind SSH: every kind of resource, and what the options refuse."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.errors import ObserveError
from reconciler.extend import Opened
from reconciler.model.change import Change
from reconciler.products.postfix_dovecot.server import BACKEND, Options
from tests.conformance.worlds import EXAMPLES, SERVER_CASES, context, reading
from tests.lab.sshd import Sshd
from tests.support.move import KINDS

SSH = {"host": "mail.example.org"}


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    daemon = Sshd()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def options(folder: Path, **more: object) -> Options:
    return Options.model_validate(
        {
            "passwd_file": f"{folder}/users",
            "virtual_alias_maps": f"hash:{folder}/virtual",
            "virtual_mailbox_domains": f"{folder}/domains",
            "mail_home": f"{folder}/vmail/%d/%n",
            "opendkim": {
                "key_table": f"refile:{folder}/opendkim/KeyTable",
                "signing_table": f"{folder}/opendkim/SigningTable",
                "keys_dir": f"{folder}/opendkim/keys",
            },
            **more,
        }
    )


@pytest.fixture
def opened(sshd: Sshd, tmp_path: Path) -> Iterator[Opened]:
    shutil.copytree(EXAMPLES / "quickstart" / "new", tmp_path / "new")
    opened = BACKEND.open(options(tmp_path / "new", ssh=sshd.ssh()), context(tmp_path))
    yield opened
    opened.close()


@pytest.mark.daemon
@pytest.mark.parametrize("kind", SERVER_CASES)
def test_every_kind_is_written_read_back_and_taken_away(opened: Opened, kind: str) -> None:
    case, store = SERVER_CASES[kind], opened.stores[kind]
    for needed in case.before:
        opened.stores[needed.kind].write([Change(None, needed)])
    start = reading(opened)
    before = None
    for after in (case.first, *([case.second] if case.second else []), None):
        store.write([Change(before, after)])
        before = next(iter(store.read({case.first.name})), None)
        assert before is None if after is None else KINDS.settled(after, before)
    assert reading(opened) == start


@pytest.mark.daemon
def test_both_sides_of_the_wire_see_the_same_world(opened: Opened, tmp_path: Path) -> None:
    for kind, case in SERVER_CASES.items():
        for needed in (*case.before, case.first):
            store = opened.stores[needed.kind]
            if not any(found.name == needed.name for found in store.read({needed.name})):
                store.write([Change(None, needed)])
        assert any(found.name == case.first.name for found in opened.stores[kind].read())
    here = BACKEND.open(options(tmp_path / "new"), context(tmp_path))
    assert reading(here) == reading(opened)
    assert (tmp_path / "new" / "virtual.db").exists()


@pytest.mark.daemon
def test_one_login_serves_all_stores_until_it_is_closed(opened: Opened, sshd: Sshd) -> None:
    before = sshd.logins()
    reading(opened)
    reading(opened)
    assert sshd.logins() == before + 1
    opened.close()
    reading(opened)
    assert sshd.logins() == before + 2


@pytest.mark.daemon
def test_a_machine_that_cannot_be_entered_is_named_when_it_is_read_and_not_before(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("")
    ssh = sshd.ssh(known_hosts=str(tmp_path / "none"))
    opened = BACKEND.open(options(tmp_path, ssh=ssh), context(tmp_path))
    assert opened.name == f"Postfix and Dovecot (127.0.0.1:{sshd.port}:{tmp_path}/users)"
    with pytest.raises(ObserveError, match=rf"{tmp_path}/users could not be read: .*shows a host key that"):
        list(opened.stores["mailbox"].read())


@pytest.mark.parametrize(
    "relative",
    [
        {"passwd_file": "users"}, {"virtual_alias_maps": "hash:virtual"}, {"virtual_mailbox_domains": "~/domains"},
        {"virtual_mailbox_maps": "maps"}, {"mail_home": "vmail/%d/%n"}, {"home": "vmail"}, {"sieve_dir": "sieve"},
        {"opendkim": {"key_table": "refile:KeyTable", "signing_table": "/s", "keys_dir": "/k"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_path_on_another_machine_begins_with_a_slash(relative: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"the files are on mail\.example\.org, so each path begins with a slash"):
        options(Path("/srv"), ssh=SSH, **relative)
    options(Path("/srv"), **relative)


def test_paths_with_their_types_and_in_homes_are_absolute_enough() -> None:
    options(Path("/srv"), ssh=SSH, sieve_dir="~/sieve", sieve_active="/var/sieve/%d/%n")
