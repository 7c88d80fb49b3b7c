"""What we put into a server's files and take back again leaves every octet as it was, whatever stood around it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from reconciler.engine.trail import Trail, Written
from reconciler.errors import ObserveError, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.resources.server.dkim_key import DkimKey, key_name
from reconciler.resources.server.domain import MailDomain
from reconciler.resources.server.mailbox import Mailbox
from tests.laws.on_disk import HASH, KEY
from tests.support.examples import examples
from tests.support.move import KINDS
from tests.support.server_files import DOMAIN, World, alias, catch_all, quota

MEMORY = Path("/dev/shm")
RULE, SIZE = "userdb_quota_rule", "userdb_quota_storage_size"
EXTRA = st.lists(
    st.sampled_from(
        [
            f"{RULE}=*:storage=1G", f"{RULE}=*:storage=1048576:messages=9", f"{RULE}=Trash:storage=+100M",
            f"{RULE}2=*:bytes=7", f"{RULE}2=Trash:ignore", f"{RULE}3=?:storage=5M", f"{RULE}=odd", f"{SIZE}=1G",
            f"{SIZE}=512MiB", f"{SIZE}=unlimited", f"{SIZE}=much", "allow_nets=192.0.2.0/24", "nologin", "",
        ]
    ),
    max_size=4,
).map(" ".join)  # fmt: skip
NAMES = st.sampled_from(["", "Ann", "Ann Müller", "Ann M\udcfcller"])
ACCOUNTS = st.one_of(
    st.builds("ann@example.org:{}:5:5:{}:/home/ann::{}".format, st.just(HASH), NAMES, EXTRA),
    st.sampled_from([f"ann@example.org:{HASH}", f"ann@example.org:{HASH}:5:5::"]),
)
OTHERS = st.one_of(
    st.sampled_from(["# people", "", "root:x:0:0", f"eve@example.net:{HASH}:1:1:E:/h::{RULE}=*:bytes=7"]),
    st.builds("bob@example.org:{}::::::{}".format, st.just(HASH), EXTRA),
)
USERS = st.builds(
    lambda others, ann, at: [*others[:at], ann, *others[at:]],
    st.lists(OTHERS, max_size=4, unique_by=lambda line: line.partition(":")[0] or line),
    ACCOUNTS,
    st.integers(0, 4),
)
ENTRY = st.builds(
    "{}{}{}".format,
    st.sampled_from(["info@example.org", "Info@Example.org", "ann@example.org", "@example.org"]),
    st.sampled_from([" ", "\t", "\n  "]),
    st.lists(
        st.sampled_from(["ann@example.org", "Bob@Example.org", "zoe@example.net", "a@x.org, b@x.org"]),
        min_size=1,
        max_size=3,
    ).flatmap(
        lambda targets: st.sampled_from([", ", ",", ",\n\t", ",\n# in between\n\n   "]).map(lambda s: s.join(targets))
    ),
)
VIRTUAL = st.lists(
    st.one_of(st.sampled_from(["# aliases", "", "a@example.net\tb@x.org,\n   c@x.org", "root me"]), ENTRY),
    max_size=5,
    unique_by=lambda entry: entry.split()[0].lower() if entry.strip() else entry,
)
KEYS = st.lists(
    st.sampled_from(
        [
            "# keys", "", "other.example other.example:s1:/etc/dkim/other.private", "% %:any:/etc/dkim/any.private",
            "mykey example.org:s1:{folder}/elsewhere.private # one day",
            "s1._domainkey.example.org example.org:s1:{folder}/keys/s1.example.org.private",
            "later example.org:s1:{folder}/keys/later.private",
        ]
    ),
    max_size=4,
    unique_by=lambda row: "s1" if "example.org:s1" in row else row,
)  # fmt: skip
SIGNERS = st.lists(
    st.sampled_from(
        [
            "# signers", "", "*@other.example other.example", "* other.example", "boss@example.org mykey",
            "boss@example.org s1._domainkey.example.org",
        ]
    ),
    max_size=4,
    unique=True,
)  # fmt: skip
TARGETS = st.sets(
    st.sampled_from(["ann@example.org", "bob@example.org", "zoe@example.net", "new@x.org"]), min_size=1, max_size=3
)
WISHES: tuple[st.SearchStrategy[Resource], ...] = (
    st.just(MailDomain(place=Place.NEW, name=DOMAIN)),
    st.builds(
        Mailbox, place=st.just(Place.NEW), name=st.sampled_from(["ann@example.org", "dan@example.org"]),
        display_name=st.sampled_from(["", "Ann Maier", "Ännchen"]), password=st.just("keep:one"),
    ),
    st.builds(quota, st.sampled_from(["ann", "ann", "bob", "dan"]), st.sampled_from([0, 7, 2**30, 2**31])),
    st.builds(lambda name, targets: alias(name, *targets), st.sampled_from(["info", "dan", "sales"]), TARGETS),
    st.builds(lambda targets: catch_all(*targets), TARGETS),
    st.just(DkimKey(place=Place.NEW, name=key_name("s1", DOMAIN), source="env:KEY")),
)  # fmt: skip
ORDER = ("domain", "mailbox", "quota", "alias", "catch_all", "dkim_key")
OTHER_HANDS = st.sampled_from(
    [
        ("users", "\n# a remark"), ("users", f"\nzoe@example.net:{HASH}"), ("users", f" {RULE}2=Trash:ignore"),
        ("users", " allow_nets=192.0.2.0/24"), ("virtual", "\n# a remark"), ("virtual", "\nz@example.net a@x.org"),
        ("virtual", ",\n\tlater@x.org"), ("KeyTable", "\n# a remark"), ("KeyTable", " # keep"),
        ("KeyTable", "\nmore other.example:m:{folder}/keys/s1.example.org.private"), ("SigningTable", " # keep"),
        ("SigningTable", "\nboss@example.net s1._domainkey.example.org"), ("domains", "\nexample.net OK"),
    ]
)  # fmt: skip
laws = settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def a_server(data: st.DataObject) -> Iterator[World]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        tables = {"key_table": "KeyTable", "signing_table": "refile:SigningTable", "keys_dir": "keys"}
        w = World(
            folder,
            virtual_mailbox_domains="texthash:domains",
            opendkim=tables,
            quota_field=data.draw(st.sampled_from([RULE, SIZE])),
        )
        w.secrets.known |= {"keep:one": HASH, "env:KEY": KEY}
        (folder / "keys").mkdir()
        drawn = {"users": USERS, "virtual": VIRTUAL, "KeyTable": KEYS, "SigningTable": SIGNERS}
        for file, lines in drawn.items():
            text = "\n".join(data.draw(lines)) + data.draw(st.sampled_from(["", "\n"]))
            w.put(file, text.replace("{folder}", name).encode("utf-8", "surrogateescape"))
        w.put("domains", data.draw(st.sampled_from(["", "# ours\nexample.net OK\n", "Example.org OK"])))
        w.put("elsewhere.private", KEY)
        if data.draw(st.booleans()):
            w.put("keys/s1.example.org.private", KEY)
        yield w


def written(w: World, wishes: Sequence[Resource]) -> list[Written]:
    """What an apply writes of them, in its order; what is refused has left everything as it was."""
    found = []
    for wish in sorted(wishes, key=lambda wish: ORDER.index(wish.kind)):
        standing = w.read(wish.kind).get(wish.name)
        (kind,) = [kind for kind in KINDS.servers if kind.type is type(wish)]
        wanted = kind.merge(wish, standing)
        if wanted != standing:
            before = w.everything()
            try:
                w.write(Change(standing, wanted))
            except WriteError:
                assert w.everything() == before
                continue
            assert KINDS.settled(wanted, w.read(wish.kind).get(wish.name))
            found.append(Written(Stage.PREPARE, Change(standing, wanted)))
    return found


def taken_back(w: World, writes: Sequence[Written]) -> Iterator[Change]:
    """The way back, as a rollback goes it: the last first."""
    for write in reversed(writes):
        address = write.change.address
        trail = Trail((write,), w.read(address.kind).get(address.name))
        if trail.is_ours(KINDS):  # else a person has to look at it, and nothing is written
            yield from (change for _, change in trail.steps(KINDS))


@laws
@given(st.data(), st.lists(st.one_of(*WISHES), max_size=5, unique_by=lambda wish: wish.address))
def test_what_is_put_in_and_taken_back_leaves_every_octet_as_it_was(data, wishes) -> None:
    with a_server(data) as w:
        before = w.everything()
        writes = written(w, wishes)
        for change in taken_back(w, writes):
            w.write(change)
        assert w.everything() == before


@laws
@given(
    st.data(), st.lists(st.one_of(*WISHES), min_size=1, max_size=4, unique_by=lambda wish: wish.address), OTHER_HANDS
)
def test_what_other_hands_put_there_meanwhile_outlives_the_way_back(data, wishes, other) -> None:
    file, more = other
    with a_server(data) as w:
        before = w.everything()
        writes = written(w, wishes)
        stood = w.everything().get(file, b"").rstrip(b"\n")
        last = stood.rpartition(b"\n")[2]
        if more[0] != "\n":
            assume(last.strip() and b"#" not in last)
        now = stood + more.replace("{folder}", str(w.folder)).encode() + b"\n"
        w.put(file, now)
        refused = 0
        done = 0
        try:
            for change in taken_back(w, writes):
                standing = w.everything()
                done += 1
                try:
                    w.write(change)
                except WriteError:
                    refused += 1
                    assert w.everything() == standing
        except ObserveError:
            reject()
        after = w.everything()
        assert more.strip().replace("{folder}", str(w.folder)).encode() in after[file]
        if done == len(writes) and not refused:
            assert {name: after.get(name) for name in before if name != file} == {
                name: text for name, text in before.items() if name != file
            }
