"""Scripts over ManageSieve, against a real Dovecot with Pigeonhole."""

import hashlib
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import ObserveError, SecretError, StalePlan, WriteError
from reconciler.extend import Context
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.secret import Secret
from reconciler.resources.server.sieve import SieveScript
from reconciler.stores import managesieve as managesieve_module
from reconciler.stores.managesieve import ManageSieveStore
from reconciler.transports.managesieve.options import ManageSieve
from reconciler.transports.managesieve.session import Lost, Session, enter
from tests.lab.dovecot import MASTER
from tests.lab.managesieve import SieveServer
from tests.lab.patience import PATIENCE
from tests.lab.sshd import Wire
from tests.support.clock import FakeClock
from tests.support.server_files import World

pytestmark = pytest.mark.daemon
FORWARD = 'require ["copy"];\r\n# rule:[Forward]\r\nif true\r\n{\r\n\tredirect :copy "a@x.example";\r\n}\r\n'
WRONG = "Wr0ng-Secret-77"


class Keys:
    """The master's password, a wrong one, and each user's own."""

    def reveal(self, reference: str) -> Secret:
        known = {"env:MASTER": MASTER[1], "env:WRONG": WRONG}
        if reference.startswith("file:pw/"):
            return Secret("pw-" + reference.removeprefix("file:pw/"))
        if reference not in known:
            raise SecretError(f"{reference} leads nowhere")
        return Secret(known[reference])


class Peopled(SieveServer):
    unused: list[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Peopled]:
    """With mailboxes from its start on: Dovecot sees new ones only after a second."""
    dovecot = Peopled()
    dovecot.unused = [dovecot.add_user(f"u{n}@example.org") for n in range(250)]
    try:
        dovecot.start()
        yield dovecot
    finally:
        dovecot.remove()


@pytest.fixture
def user(server: Peopled) -> Callable[[], str]:
    """Gives mailboxes that no other test knows."""
    return partial(server.unused.pop, 0)


def obstruct(server: Peopled, user: str) -> None:
    """The server takes a script, but cannot make it active: it finds that out only when it is asked to."""
    home = server.root / "mail" / user
    (home / "sieve").mkdir(parents=True, exist_ok=True)
    server.own(home)
    home.chmod(0o500)


def shut(server: Peopled, user: str) -> None:
    """Nothing can be put any more, though everything can be read: as on a full disk."""
    (server.root / "mail" / user / "sieve" / "tmp").chmod(0o500)


@pytest.fixture
def store(server: Peopled) -> Callable[..., ManageSieveStore]:
    def make(*mailboxes: str, **options: object) -> ManageSieveStore:
        usual = {"host": "127.0.0.1", "port": server.sieve_port, "ca_file": "cert.pem", "timeout": 5}
        way = {} if "password" in options else {"master_user": MASTER[0], "master_password": "env:MASTER"}
        context = Context(Place.NEW, "example.org", server.root, Keys(), FakeClock())
        return ManageSieveStore(context, ManageSieve.model_validate({**usual, **way, **options}), lambda: mailboxes)

    return make


def script(user: str, content: str = FORWARD, name: str = "roundcube", *, active: bool = True) -> SieveScript:
    return SieveScript(place=Place.NEW, name=user, script=name, content=content, active=active)


def only(store: ManageSieveStore) -> SieveScript | None:
    (found,) = [*store.read(), None][:1]
    return found


@pytest.mark.parametrize(
    "way", [{}, {"master_separator": ""}, {"password": "file:pw/%u"}], ids=["user*master", "PLAIN for a user", "own"]
)
def test_each_way_in_leads_to_the_users_own_scripts(server, user, store, way: dict[str, str]) -> None:
    ann, bob = user(), user()
    server.put(ann, "a", b"keep; # ann")
    server.put(bob, "b", b"keep; # bob")
    assert list(store(ann, bob, **way).read()) == [script(ann, "keep; # ann", "a"), script(bob, "keep; # bob", "b")]


@pytest.mark.parametrize(
    "content", ["", "keep;", "keep;\r\n", "keep;\n", "keep;\r\n\r\n", "# ü\nkeep;\r\n# {5+}\r\nOK NO BYE", "\r\nkeep;"]
)
@pytest.mark.parametrize("name", ["roundcube", 'two "words" \\ here', "ümläut"])
def test_every_octet_and_every_name_is_kept_both_ways(server, user, store, content: str, name: str) -> None:
    ann, bob = user(), user()
    server.put(ann, name, content.encode())
    assert only(store(ann)) == script(ann, content, name)
    if content:
        text = content.replace("OK NO BYE", "# OK NO BYE")
        store(bob).write([Change(None, script(bob, text, name))])
        assert server.scripts(bob) == {f"{name}*": text.encode()}


def test_the_active_script_is_read_or_the_one_that_roundcube_would_open(server, user, store) -> None:
    nothing, own, other, foreign = user(), user(), user(), user()
    server.put(own, "roundcube", b"keep;", active=False)
    server.put(other, "roundcube", b"discard;", active=False)
    server.put(other, "mine", b"stop;")
    server.put(foreign, "mine", b"stop;", active=False)
    found = {s.name: s for s in store(nothing, own, other, foreign).read()}
    assert found == {own: script(own, "keep;", active=False), other: script(other, "stop;", "mine")}


def test_only_mailboxes_that_the_server_has_are_entered(server, user, store) -> None:
    ann = user()
    server.put(ann, "roundcube", b"keep;")
    assert list(store(ann).read({ann, "nobody@example.org"})) == [script(ann, "keep;")]
    assert list(store().read({ann})) == []
    with pytest.raises(WriteError, match=r"new/sieve/nobody@example\.org cannot be written: there is no such mailbox"):
        store(ann).write([Change(None, script("nobody@example.org"))])


def test_a_script_is_made_changed_switched_off_and_on_and_removed(server, user, store) -> None:
    ann = user()
    server.put(ann, "other", b"stop;", active=False)
    values = [
        script(ann), script(ann, "keep;\r\n"), script(ann, "keep;\r\n", active=False),
        script(ann, "discard;", active=False), script(ann, "stop;\n"), None,
    ]  # fmt: skip
    before = None
    for after in values:
        store(ann).write([Change(before, after)])
        assert only(store(ann)) == after
        on_disk = {f"roundcube{'*' * after.active}": after.content.encode()} if after else {}
        assert server.scripts(ann) == {"other": b"stop;", **on_disk}
        before = after


def test_the_users_own_active_script_keeps_its_name_and_is_what_before_holds(server, user, store) -> None:
    ann = user()
    server.put(ann, "My rules", b'fileinto "x"; # unparsable without require')
    (before,) = store(ann).read()
    after = before.model_copy(update={"content": FORWARD})
    store(ann).write([Change(before, after)])
    assert server.scripts(ann) == {"My rules*": FORWARD.encode()}


def test_a_new_script_beside_the_active_one_takes_its_place_and_gives_it_back(server, user, store) -> None:
    ann = user()
    server.put(ann, "mine", b"keep;")
    before = only(store(ann))
    store(ann).write([Change(before, script(ann))])
    assert server.scripts(ann) == {"mine": b"keep;", "roundcube*": FORWARD.encode()}


def test_an_inactive_script_of_the_user_is_not_written_over(server, user, store) -> None:
    ann = user()
    server.put(ann, "mine", b"keep;")
    server.put(ann, "theirs", b"stop;", active=False)
    with pytest.raises(WriteError, match=r"there is a script 'theirs' already, not active.*Nothing was written"):
        store(ann).write([Change(only(store(ann)), script(ann, name="theirs"))])
    assert server.scripts(ann) == {"mine*": b"keep;", "theirs": b"stop;"}


def test_what_somebody_changed_since_is_not_written_over(server, user, store) -> None:
    ann, bob = user(), user()
    for name in (ann, bob):
        server.put(name, "roundcube", b"keep;")
    before = {s.name: s for s in store(ann, bob).read()}
    server.put(bob, "roundcube", b"stop;")
    with pytest.raises(StalePlan, match=f"new/sieve/{bob} in 127.0.0.1:"):
        store(ann, bob).write([Change(before[n], script(n)) for n in (ann, bob)])
    assert server.scripts(ann) == {"roundcube*": b"keep;"}
    assert server.scripts(bob) == {"roundcube*": b"stop;"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("if true { keep;", "CHECKSCRIPT: "),
        ('require ["nonesuch"];\r\nkeep;\r\n', "CHECKSCRIPT: .*nonesuch"),
        ("keep;\r\n" + "# long\r\n" * 9000, r"(?:HAVESPACE|CHECKSCRIPT): \(QUOTA"),
    ],
    ids=["syntax", "extension", "quota"],
)
def test_a_script_that_the_server_does_not_take_stops_all_before_anything_is_written(
    server, user, store, content: str, words: str
) -> None:
    ann, bob = user(), user()
    server.put(bob, "roundcube", b"keep;")
    changes = [Change(None, script(ann)), Change(script(bob, "keep;"), script(bob, content))]
    with pytest.raises(WriteError, match=rf"new/sieve/{bob} on 127.0.0.1:\d+ could not be written: .*{words}"):
        store(ann, bob).write(changes)
    assert server.scripts(ann) == {}
    assert server.scripts(bob) == {"roundcube*": b"keep;"}


def test_what_our_library_does_not_know_but_the_server_does_is_written(server, user, store) -> None:
    """A user's own script must be possible to put back, whatever extensions it uses."""
    ann = user()
    content = 'require ["vnd.dovecot.duplicate", "duplicate"];\r\nif duplicate { discard; }\r\n'
    content = content.replace('"vnd.dovecot.duplicate", ', "")
    store(ann).write([Change(None, script(ann, content))])
    assert server.scripts(ann) == {"roundcube*": content.encode()}


def test_one_that_fails_in_the_middle_takes_the_others_back(server, user, store) -> None:
    names = [user() for _ in range(6)]
    for name in names[:4]:
        server.put(name, "mine", b"keep;")
    obstruct(server, names[4])
    changes = [Change(script(n, "keep;", "mine"), script(n, name="mine")) for n in names[:2]]
    changes += [Change(script(names[2], "keep;", "mine"), None)]
    changes += [Change(script(names[3], "keep;", "mine"), script(names[3]))]
    changes += [Change(None, script(name)) for name in names[4:]]
    with pytest.raises(WriteError, match=rf"{names[4]} on .* could not be written: SETACTIVE: .*put back"):
        store(*names, parallel=1).write(changes)
    assert all(server.scripts(name) == {"mine*": b"keep;"} for name in names[:4])
    assert server.scripts(names[4]) == server.scripts(names[5]) == {}


def test_what_cannot_be_put_back_is_named(server, user, store, monkeypatch) -> None:
    ann, bob = user(), user()
    server.put(ann, "mine", b"keep;")
    obstruct(server, bob)
    put = Session.put

    def then_shut(session: Session, name: str, content: str) -> None:
        put(session, name, content)
        if name == "mine":
            shut(server, ann)

    monkeypatch.setattr(Session, "put", then_shut)
    changes = [Change(script(ann, "keep;", "mine"), script(ann, name="mine")), Change(None, script(bob))]
    with pytest.raises(WriteError, match=rf"look at it by hand: {ann} on 127.0.0.1:\d+: PUTSCRIPT"):
        store(ann, bob, parallel=1).write(changes)


@pytest.fixture
def wire(server: Peopled) -> Iterator[Wire]:
    wire = Wire(server.sieve_port)
    yield wire
    wire.close()


@pytest.mark.parametrize(("octets", "words"), [(20_000, "Nothing was written"), (55_000, "What stood before was put")])
def test_a_connection_that_is_cut_leaves_what_stood(user, store, server, wire, octets: int, words: str) -> None:
    ann = user()
    server.put(ann, "mine", b"keep;")
    content = "keep;\r\n" + "# padding\r\n" * 3500
    wire.cut_after = octets
    with pytest.raises(WriteError, match=words):
        store(ann, port=wire.port).write([Change(script(ann, "keep;", "mine"), script(ann, content, "mine"))])
    assert wire.cut_after is None
    assert server.scripts(ann) == {"mine*": b"keep;"}


def test_a_change_whose_answer_is_lost_is_read_back_and_found_done(server, user, store, monkeypatch) -> None:
    ann = user()
    activate = Session.activate

    def lose(session: Session, name: str) -> None:
        activate(session, name)
        raise Lost("SETACTIVE: the connection was closed")

    monkeypatch.setattr(Session, "activate", lose)
    store(ann).write([Change(None, script(ann))])
    assert server.scripts(ann) == {"roundcube*": FORWARD.encode()}


def test_a_reading_that_is_cut_begins_again(server, user, store, wire, monkeypatch) -> None:
    ann = user()
    server.put(ann, "mine", b"keep;")
    listed: list[None] = []
    listing = Session.list

    def cut_once(session: Session):
        listed.append(None)
        if len(listed) == 1:
            wire.cut()
        return listing(session)

    monkeypatch.setattr(Session, "list", cut_once)
    assert only(store(ann, port=wire.port)) == script(ann, "keep;", "mine")
    assert len(listed) == 2


@pytest.mark.parametrize(
    "way", [{"master_password": "env:WRONG"}, {"master_user": "nobody"}, {"master_separator": "%"}], ids=str
)
def test_a_login_that_is_refused_says_so_without_the_password(server, user, store, way: dict[str, str]) -> None:
    ann = user()
    with pytest.raises(ObserveError, match=rf"127.0.0.1:\d+ does not let us into {ann}: .*plan again") as caught:
        list(store(ann, **way).read())
    assert WRONG not in str(caught.value)
    with pytest.raises(WriteError, match="Nothing was written"):
        store(ann, **way).write([Change(None, script(ann))])


def test_an_account_that_was_made_a_moment_ago_is_waited_for(server, store) -> None:
    late = "late@example.org"

    def make() -> None:
        time.sleep(0.8)
        server.add_user(late)

    maker = threading.Thread(target=make)
    maker.start()
    store(late, password="file:pw/%u").write([Change(None, script(late))])
    maker.join()
    assert server.scripts(late) == {"roundcube*": FORWARD.encode()}


def test_a_password_that_nobody_has_is_named_by_its_reference(user, store) -> None:
    with pytest.raises(SecretError, match="env:GONE leads nowhere"):
        list(store(user(), master_password="env:GONE").read())


def test_a_certificate_is_verified_before_a_password_is_sent(server, user, store) -> None:
    ann = user()
    shown = ssl.PEM_cert_to_DER_cert((server.root / "cert.pem").read_text())
    pin = hashlib.sha256(shown).hexdigest()
    for good in ({"tls_name": "localhost"}, {"host": "localhost"}, {"ca_file": None, "fingerprint": pin.upper()}):
        assert list(store(ann, **good).read()) == []
    before = server.log().count("Login: ")
    for bad, words in (
        ({"ca_file": None}, "its certificate is not to be trusted .*self-signed"),
        ({"tls_name": "other.example"}, "its certificate is not to be trusted .*other.example"),
        ({"fingerprint": "00" * 32}, f"shows another certificate .*{pin}"),
        ({"ca_file": "none.pem"}, "none.pem, the certificates to trust .*mend ca_file"),
    ):
        with pytest.raises(ObserveError, match=words):
            list(store(ann, **bad).read())
    assert server.log().count("Login: ") == before


def test_without_tls_only_a_server_on_this_machine_is_asked() -> None:
    plain = SieveServer("plain", "ssl = no")
    try:
        plain.start()
        ann = plain.add_user("ann@example.org")
        context = Context(Place.NEW, "example.org", plain.root, Keys(), FakeClock())
        options = {"host": "127.0.0.1", "port": plain.sieve_port, "password": "file:pw/%u"}
        with pytest.raises(ObserveError, match="offers no STARTTLS, so no password was sent"):
            list(ManageSieveStore(context, ManageSieve(**options), lambda: [ann]).read())
        open_to_see = ManageSieveStore(context, ManageSieve(**options, starttls=False), lambda: [ann])
        open_to_see.write([Change(None, script(ann))])
        assert plain.scripts(ann) == {"roundcube*": FORWARD.encode()}
    finally:
        plain.remove()


def test_a_script_that_is_not_utf_8_is_named(server, user, store) -> None:
    ann = user()
    server.put(ann, "mine", b"# \xff\r\nkeep;")
    with pytest.raises(ObserveError, match=rf"the Sieve scripts of {ann} .*could not be read: GETSCRIPT: .*not UTF-8"):
        list(store(ann).read())


def test_many_mailboxes_are_entered_at_once_but_no_more_than_allowed(server, user, store, monkeypatch) -> None:
    names = [user() for _ in range(60)]
    inside, entered, most, lock, full = 0, 0, 0, threading.Lock(), threading.Event()

    class Counted:
        def __init__(self, session: Session) -> None:
            self.session = session

        def __getattr__(self, name: str):
            return getattr(self.session, name)

        def close(self) -> None:
            nonlocal inside
            self.session.close()
            with lock:
                inside -= 1

    def counting(*args):
        nonlocal inside, entered, most
        with lock:
            inside, entered = inside + 1, entered + 1
            most = max(most, inside)
            first = entered == 1
            if inside == 5:
                full.set()
        assert first or full.wait(PATIENCE), "never are so many entered at once"
        return Counted(enter(*args))

    monkeypatch.setattr(managesieve_module, "enter", counting)
    for name in names:
        server.put(name, "roundcube", b"keep;")
    assert len(list(store(*names, parallel=5).read())) == 60
    assert (inside, most) == (0, 5)


def test_no_password_is_logged_on_either_side(server, user, store, caplog) -> None:
    caplog.set_level(logging.NOTSET)
    caplog.set_level(logging.NOTSET, "managesieve")
    ann = user()
    store(ann).write([Change(None, script(ann))])
    with pytest.raises(ObserveError):
        list(store(ann, master_password="env:WRONG").read())
    assert WRONG not in caplog.text + server.log()
    assert MASTER[1] not in caplog.text + server.log()
    assert "AUTHENTICATE" not in caplog.text


def test_the_option_takes_the_place_of_the_files(server, user, tmp_path: Path) -> None:
    ann, stranger = user(), user()
    for name in (ann, stranger):
        server.put(name, "mine", b"keep;")
    managesieve = {
        "host": "127.0.0.1", "port": server.sieve_port, "ca_file": str(server.root / "cert.pem"),
        "master_user": MASTER[0], "master_password": "env:MASTER",
    }  # fmt: skip
    world = World(tmp_path, users=f"{ann}:x:::::\n", managesieve=managesieve)
    world.secrets.known["env:MASTER"] = MASTER[1]
    assert world.read("sieve") == {ann: script(ann, "keep;", "mine")}
