import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.errors import WriteError
from reconciler.extend import Backend
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.plugins import declared
from reconciler.products.postfix_dovecot import server as postfix_dovecot
from reconciler.products.postfix_dovecot.server import Options
from reconciler.resources.server.domain import MailDomain
from tests.support.effort import grows_with
from tests.support.examples import examples
from tests.support.server_files import HASH, World, alias, catch_all, quota

MINIMUM = {"passwd_file": "users", "virtual_alias_maps": "virtual"}


def test_the_module_declares_one_backend():
    assert declared(postfix_dovecot.__name__, Backend) is postfix_dovecot.BACKEND


def test_every_option_is_documented():
    properties = Options.model_json_schema()["properties"]
    assert [name for name, field in properties.items() if not field.get("description")] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"passwd-file": "x"},
        {"mail_home": "/var/vmail/%x"},
        {"home": "/var/vmail/%{nope}"},
        {"sieve_dir": "~/%"},
        {"map_type": "mysql"},
        {"quota_field": "a=b"},
        {"opendkim": {"key_table": "x"}},
    ],
)
def test_a_wrong_option_is_refused(wrong):
    with pytest.raises(ValidationError):
        Options(**{**MINIMUM, **wrong})


def test_templates_know_short_and_long_variables(world):
    w = world("ann@example.org:x\n", mail_home="h/%{domain}/%Ln/%{user}/%%{username}")
    w.put("h/example.org/ann/ann@example.org/%{username}/.dovecot.sieve", "keep;\n")
    assert list(w.read("sieve")) == ["ann@example.org"]


def test_paths_are_relative_to_the_spec_and_may_be_absolute(world):
    w = world("ann@example.org:x\n")
    w.options["passwd_file"] = str(w.folder / "users")
    assert list(w.read("mailbox")) == ["ann@example.org"]
    assert w.opened.name == f"Postfix and Dovecot ({w.folder}/users)"
    w.options["name"] = "the new box"
    assert w.open().name == "the new box"


def test_without_opendkim_dkim_keys_are_by_hand(world):
    opened = world().open()
    assert sorted(opened.stores) == ["alias", "catch_all", "domain", "mailbox", "quota", "sieve"]


LOCALS = st.sampled_from(["ann", "bob", "eve", "info", "x.y"])
FOREIGN_USERS = st.lists(
    st.sampled_from(
        ["# comment", "", "root:x:0:0", ":odd:", "ann@example.com:{PLAIN}p:1:1:A:/h::userdb_quota_rule=*:storage=1G"]
    ),
    unique=True,
    max_size=5,
)
FOREIGN_ALIASES = st.lists(
    st.sampled_from(["# comment", "", "a@example.com\tb@x.org,\n   c@x.org", "root me", "  # x", "@example.com q"]),
    unique=True,
    max_size=5,
).filter(lambda rows: rows)
ENDS = st.sampled_from(["", "\n", "\n\n"])


@st.composite
def texts(draw, foreign, own):
    """Lines of others with some of ours among them, and any end."""
    rows = [*draw(foreign), *draw(own)]
    return "\n".join(draw(st.permutations(rows))) + draw(ENDS)


OWN_USERS = st.lists(LOCALS, unique=True, max_size=3).map(
    lambda names: [f"{name}@example.org:{{PLAIN}}x:5:5:N:/h::" for name in names]
)
OWN_ALIASES = st.lists(LOCALS, unique=True, max_size=3).map(
    lambda names: [f"{name}@example.org ann@example.org,z@x.org" for name in names]
)


def without_ours(text):
    return [row for row in (text or "").splitlines() if "example.org" not in row and row.strip()]


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
def test_foreign_lines_never_change_and_what_is_made_and_removed_restores_every_octet(data):
    with tempfile.TemporaryDirectory() as folder:
        users = data.draw(texts(FOREIGN_USERS, OWN_USERS), "users")
        virtual = data.draw(texts(FOREIGN_ALIASES, OWN_ALIASES), "virtual")
        world = World(Path(folder), users, virtual)
        before = world.everything()
        made: list[Resource] = [
            world.mailbox(name) for name in ("new", "ann") if f"{name}@example.org" not in world.read("mailbox")
        ]
        made += [quota(name, 7) for name in ("bob", "eve") if f"{name}@example.org" in world.read("mailbox")]
        made += [alias(name, "q@x.org") for name in ("new", "info") if f"{name}@example.org" not in world.read("alias")]
        made = [*data.draw(st.permutations(made), "order"), catch_all("ann@example.org")]
        foreign = [without_ours(users), without_ours(virtual)]
        for resource in made:
            world.create(resource)
            name = resource.name
            assert world.read(resource.kind, {name})[name].model_copy(update={"password": None}) == (
                resource.model_copy(update={"password": None})
            )
            assert without_ours(world.text("users")) == foreign[0]
            assert [r for r in without_ours(world.text("virtual")) if r not in foreign[1]] == []
        written = world.text("virtual")
        assert written is not None
        swallowed = set(world.read("mailbox")) - {
            row.partition(" ")[0] for row in written.splitlines() if row[:1] not in {"#", ""}
        }
        assert swallowed == set()
        for resource in reversed(made):
            world.delete(resource)
        assert world.everything() == before


@settings(max_examples=examples(25), deadline=None)
@given(st.permutations(["mailbox", "alias", "catch_all"]))
def test_a_catch_all_never_takes_the_mail_of_our_mailboxes_whatever_the_order(order):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), "old@example.org:x\n", "")
        before = world.everything()
        makes = {
            "mailbox": lambda: world.create(world.mailbox("ann")),
            "alias": lambda: world.create(alias("info", "ann@example.org")),
            "catch_all": lambda: world.create(catch_all("info@example.org")),
        }
        for kind in order:
            makes[kind]()
        assert re.search(r"^ann@example.org ann@example.org$", world.text("virtual") or "", re.MULTILINE)
        for resource in (alias("info"), world.mailbox("ann"), catch_all()):
            world.delete(resource)
        assert world.everything() == before


def test_a_whole_server_comes_and_goes_without_litter(world):
    w = world(
        None,
        None,
        virtual_mailbox_domains="domains",
        virtual_mailbox_maps="texthash:vmailbox",
        opendkim={"key_table": "KeyTable", "signing_table": "SigningTable", "keys_dir": "."},
    )
    made = [
        MailDomain(place=Place.NEW, name="example.org"),
        w.mailbox("ann", "Ann"),
        quota("ann", 5),
        alias("info", "ann@example.org"),
        catch_all("info@example.org"),
    ]
    for resource in made:
        w.create(resource)
    assert sorted(w.everything()) == ["domains", "users", "virtual", "vmailbox"]
    for resource in reversed(made):
        w.delete(resource)
    assert w.everything() == {}


def test_the_work_of_reading_grows_with_the_accounts_and_aliases_and_not_faster(world):
    def read(number):
        w = world(
            "".join(f"u{i}@example.org:{HASH}:5:5:User {i}:/h/{i}::\n" for i in range(number)),
            "".join(f"a{i}@example.org u{i}@example.org, x@x.org\n" for i in range(number)),
        )
        assert len(w.read("mailbox")) == len(w.read("alias")) == number

    assert grows_with(read, 200)


def test_the_work_of_writing_grows_with_the_mailboxes_of_a_batch_and_not_faster(world):
    def write(number):
        w = world("")
        assert w.opened.stores["mailbox"].batch >= number
        w.write(*(Change(None, w.mailbox(f"u{i}")) for i in range(number)))
        assert len(w.read("mailbox")) == number

    assert grows_with(write, 20)


def test_an_unreadable_folder_is_an_error_with_the_next_step(world):
    w = world()
    w.options["virtual_alias_maps"] = "texthash:none/virtual"
    with pytest.raises(WriteError, match=r"/none/virtual could not be written: .*make the directory"):
        w.create(alias("info", "x@x.org"))
