import base64
import os
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from reconciler.errors import ObserveError, StalePlan, WriteError
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.resources.server.dkim_key import KIND, DkimKey

KEYS = "# keys\nold._domainkey.example.com example.com:old:/etc/keys/old.private\n"
SIGNERS = "# signers\n*@example.com old._domainkey.example.com\n* old._domainkey.example.com\n"


def key(selector="s1", source="generate", bits=1024):
    return DkimKey(
        place=Place.NEW,
        name=f"{selector}._domainkey.example.org",
        source=source,
        bits=bits if source == "generate" else 0,
    )


def pem(made, form=PrivateFormat.PKCS8, lock=None):
    return made.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 1024)


@pytest.fixture
def server(world):
    w = world(opendkim={"key_table": "KeyTable", "signing_table": "refile:SigningTable", "keys_dir": "keys"})
    w.put("KeyTable", KEYS)
    w.put("SigningTable", SIGNERS)
    (w.folder / "keys").mkdir()
    return w


def test_a_key_is_made_and_signs_before_what_signed_until_now(server):
    if os.geteuid() == 0:
        os.chown(server.folder / "keys", 5123, 5124)
    server.create(key())
    path = server.folder / "keys/s1.example.org.private"
    assert server.text("KeyTable") == f"{KEYS}s1._domainkey.example.org example.org:s1:{path}\n"
    assert server.text("SigningTable") == (
        "# signers\n*@example.com old._domainkey.example.com\n*@example.org s1._domainkey.example.org\n"
        "* old._domainkey.example.com\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == (server.folder / "keys").stat().st_uid
    assert path.read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    found = server.read("dkim_key")["s1._domainkey.example.org"]
    assert (found.source, found.bits) == (None, 0)
    assert len(base64.b64decode(found.public)) == 162


def test_create_and_delete_restore_every_octet(server):
    before = server.everything()
    server.create(key())
    server.create(key("s2"))
    server.delete(key("s2"), key("s1"))
    assert server.everything() == before


def test_tables_that_were_made_for_the_first_key_go_with_the_last(server):
    for name in ("KeyTable", "SigningTable"):
        (server.folder / name).unlink()
    before = server.everything()
    server.create(key())
    assert server.text("SigningTable") == "# made by reconciler\n*@example.org s1._domainkey.example.org\n"
    server.delete(key())
    assert server.everything() == before


def test_the_key_that_was_made_last_signs_and_the_other_stays(server):
    server.create(key("s1"))
    server.create(key("s2"))
    rows = [line for line in server.text("SigningTable").splitlines() if line.startswith("*@example.org")]
    assert rows == ["*@example.org s2._domainkey.example.org", "*@example.org s1._domainkey.example.org"]
    assert sorted(server.read("dkim_key")) == ["s1._domainkey.example.org", "s2._domainkey.example.org"]


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_key_is_imported_from_a_secret(server, rsa_key, form):
    server.secrets.known["file:dkim.pem"] = pem(rsa_key, form)
    server.create(key(source="file:dkim.pem"))
    written = load_pem_private_key((server.folder / "keys/s1.example.org.private").read_bytes(), None)
    assert isinstance(written, rsa.RSAPrivateKey)
    assert written.private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("kind", ["rubbish", "ed25519", "locked", "missing"])
def test_what_cannot_sign_is_not_imported_and_not_shown(server, rsa_key, kind):
    text = {
        "rubbish": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
        "locked": pem(rsa_key, lock=BestAvailableEncryption(b"x")),
    }
    if kind in text:
        server.secrets.known["file:dkim.pem"] = text[kind]
    before = server.everything()
    with pytest.raises(WriteError, match=r"new/dkim_key/s1._domainkey.example.org cannot be made from file:dkim.pem") as caught:  # fmt: skip  # noqa: E501
        server.create(key(source="file:dkim.pem"))
    assert "PRIVATE" not in str(caught.value).replace("private", "")
    assert "c2VjcmV0" not in str(caught.value)
    assert server.everything() == before


def test_a_key_file_that_is_there_is_never_replaced(server, rsa_key):
    path = server.put("keys/s1.example.org.private", pem(rsa_key))
    server.secrets.known["file:other.pem"] = pem(rsa.generate_private_key(65537, 1024))
    with pytest.raises(WriteError, match="holds another key, and a key that exists is not replaced"):
        use(server, key(source="file:other.pem"))
    use(server, key())
    assert path.read_text() == pem(rsa_key)


def test_what_a_crash_left_half_done_is_completed(server):
    server.create(key())
    whole = server.everything()
    for left in ({"SigningTable": SIGNERS}, {"SigningTable": SIGNERS, "KeyTable": KEYS}):
        for name, text in left.items():
            server.put(name, text)
        begun = server.read("dkim_key")["s1._domainkey.example.org"]
        assert begun.begins(key())
        use(server, key())
        assert server.everything() == whole


def test_a_key_is_never_updated(server):
    server.create(key())
    standing = server.read("dkim_key")["s1._domainkey.example.org"]
    with pytest.raises(WriteError, match="is not replaced: mail signed with the old key is still under way"):
        server.write(Change(standing, standing.model_copy(update={"public": "other"})))


def test_a_key_that_is_another_one_by_now_is_not_removed(server, rsa_key):
    server.create(key())
    standing = server.read("dkim_key")["s1._domainkey.example.org"]
    server.put("keys/s1.example.org.private", pem(rsa_key))
    before = server.everything()
    with pytest.raises(StalePlan):
        server.write(Change(standing, None))
    assert server.everything() == before


def test_a_key_that_others_sign_with_is_not_removed(server):
    server.create(key())
    server.put("SigningTable", server.text("SigningTable") + "*@sub.example.org s1._domainkey.example.org\n")
    before = server.everything()
    with pytest.raises(WriteError, match=r"SigningTable:5 signs \*@sub.example.org with it too"):
        server.delete(key())
    assert server.everything() == before


def test_a_row_that_names_another_file_is_not_ours_to_remove(server, rsa_key):
    path = server.put("elsewhere/s1.private", pem(rsa_key))
    server.put("KeyTable", f"{KEYS}s1._domainkey.example.org example.org:s1:{path}\n")
    server.put("SigningTable", "*@example.org s1._domainkey.example.org\n" + SIGNERS)
    before = server.everything()
    with pytest.raises(WriteError, match=r"KeyTable:3 is not the row that is made here"):
        server.delete(key())
    assert server.everything() == before


@pytest.mark.parametrize(
    ("table", "row", "why"),
    [
        ("KeyTable", "other example.com:x:{path}\n", r"KeyTable:4 names its file .* too"),
        ("KeyTable", "% %:any:{path}\n", r"KeyTable:4 names its file .* too"),
        ("SigningTable", "boss@example.org s1._domainkey.example.org\n", r"SigningTable:5 signs boss@example.org"),
        ("SigningTable", "*@example.org s1._domainkey.example.org # twice\n", r"SigningTable:5 signs \*@example.org"),
    ],
)
def test_a_key_that_somebody_elses_row_uses_is_not_removed(server, table, row, why):
    server.create(key())
    path = server.folder / "keys/s1.example.org.private"
    server.put(table, server.text(table) + row.format(path=path))
    before = server.everything()
    with pytest.raises(WriteError, match=why):
        server.delete(key())
    assert server.everything() == before


@pytest.mark.parametrize("pattern", ["boss@example.org", "*@example.org"])
def test_a_row_that_waits_for_the_key_is_not_woken_up(server, pattern):
    server.put("SigningTable", f"{pattern} s1._domainkey.example.org\n")
    before = server.everything()
    with pytest.raises(WriteError, match="SigningTable:1 names it already"):
        server.create(key())
    assert server.everything() == before


def test_a_row_with_a_persons_remark_is_not_removed(server):
    server.create(key())
    server.put("KeyTable", (server.text("KeyTable") or "").rstrip("\n") + " # keep until May\n")
    before = server.everything()
    with pytest.raises(WriteError, match=r"KeyTable:3 is not the row that is made here"):
        server.delete(key())
    assert server.everything() == before


def stood_as(server, use_, rsa_key, where="elsewhere/s1.private", name="mykey"):
    """What an administrator has made and not come to the end of."""
    if use_ == "file":
        server.put("keys/s1.example.org.private", pem(rsa_key))
    else:
        path = server.put(where, pem(rsa_key))
        server.put("KeyTable", f"{KEYS}{name} example.org:s1:{path} # to be used one day\n")
    return server.read("dkim_key")["s1._domainkey.example.org"]


def use(server, wanted):
    """As a plan does it: our key over the one that stands."""
    stands = server.read("dkim_key")[wanted.name]
    server.write(Change(stands, KIND.merge(wanted, stands)))


@pytest.mark.parametrize("use_", ["file", "table"])
def test_a_key_that_stood_unused_is_used_and_given_back(server, rsa_key, use_):
    stood = stood_as(server, use_, rsa_key)
    before = server.everything()
    assert stood.use == use_
    use(server, key())
    signs = server.read("dkim_key")[stood.name]
    assert (signs.use, signs.public) == ("signing", stood.public)
    server.write(Change(signs, KIND.merge(stood, signs)))
    assert server.everything() == before


def test_a_row_whose_key_is_still_to_come_gets_it_and_keeps_its_row(server):
    server.put("KeyTable", f"{KEYS}mykey example.org:s1:{server.folder}/later.private\n")
    before = server.everything()
    stood = server.read("dkim_key")["s1._domainkey.example.org"]
    assert (stood.use, stood.public) == ("table", None)
    use(server, key())
    signs = server.read("dkim_key")[stood.name]
    assert signs.public
    server.write(Change(signs, stood))
    assert server.everything() == before


def test_a_key_in_its_row_can_be_signed_with(server, rsa_key):
    der = rsa_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    server.put("KeyTable", f"mykey example.org:s1:{base64.b64encode(der).decode()}\n")
    before = server.everything()
    stood = server.read("dkim_key")["s1._domainkey.example.org"]
    use(server, key())
    signs = server.read("dkim_key")[stood.name]
    assert signs.use == "signing"
    server.write(Change(signs, stood))
    assert server.everything() == before


def test_an_exception_for_one_address_does_not_sign_for_the_domain(server, rsa_key):
    stood_as(server, "table", rsa_key)
    server.put("SigningTable", f"{SIGNERS}boss@example.org mykey\n")
    before = server.everything()
    stood = server.read("dkim_key")["s1._domainkey.example.org"]
    assert stood.use == "table"
    use(server, key())
    server.write(Change(server.read("dkim_key")[stood.name], stood))
    assert server.everything() == before


def test_asked_by_name_it_says_the_same(server, rsa_key):
    stood = stood_as(server, "file", rsa_key)
    server.create(key("s2"))
    assert server.read("dkim_key", {stood.name}) == {stood.name: stood}
    assert sorted(server.read("dkim_key")) == [stood.name, "s2._domainkey.example.org"]


def test_an_exception_for_one_address_is_kept_before_ours(server):
    server.put("SigningTable", "boss@example.org old._domainkey.example.com\n" + SIGNERS)
    server.create(key())
    assert server.text("SigningTable").splitlines()[0] == "boss@example.org old._domainkey.example.com"


def test_tables_of_type_file_get_a_bare_domain(server):
    server.options["opendkim"]["signing_pattern"] = "%d"
    server.put("SigningTable", "example.com old._domainkey.example.com\n")
    server.create(key())
    assert server.text("SigningTable").splitlines()[1] == "example.org s1._domainkey.example.org"


def test_opendkim_is_told_to_look_again(server):
    server.options["opendkim"]["reload"] = ("touch", str(server.folder / "reloaded"))
    server.create(key())
    assert server.text("reloaded") == ""


def test_a_reload_that_fails_puts_everything_back(server):
    server.options["opendkim"]["reload"] = ("false",)
    before = server.everything()
    with pytest.raises(WriteError, match="false ended with status 1"):
        server.create(key())
    assert server.everything() == before


@pytest.mark.parametrize(
    ("keys", "signers", "message"),
    [
        ("s1 example.org\n", "", r"KeyTable:1: the key s1 has no DOMAIN:SELECTOR:PATH"),
        ("s1\n", "", r"KeyTable:1: s1 has no value"),
        ("a example.org:s:/k # x\nb example.org:s:/k\n", "", r"KeyTable:2: the selector s stands here and in line 1"),
        ("a example.org:s:/no/key\n", "* a\n", r"KeyTable:1: the key file /no/key is not there"),
        ("a example.org:s:c2VjcmV0\n", "* a\n", r"KeyTable:1: the key in the row cannot be used"),
        ("", "*@example.org\n", r"SigningTable:1: \*@example.org has no value"),
        ("", "*@example.org a\r\n", r"SigningTable:1: the line ends in CRLF"),
    ],
)
def test_tables_that_opendkim_would_refuse_are_an_error_at_their_line(server, keys, signers, message):
    server.put("KeyTable", keys)
    server.put("SigningTable", signers)
    with pytest.raises(ObserveError, match=message):
        server.read("dkim_key")


def test_keys_of_other_kinds_and_of_any_domain_are_not_shown(server, rsa_key):
    path = server.put("k.private", pem(rsa_key))
    server.put("KeyTable", f"% %:any:{path}\n")
    assert server.read("dkim_key") == {}
    server.put("k.private", pem(ed25519.Ed25519PrivateKey.generate()))
    server.put("KeyTable", f"idle example.org:idle:{path}\n")
    assert server.read("dkim_key") == {}
    server.put("SigningTable", "* idle\n")
    assert server.read("dkim_key") == {}


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_is_neither_shown_nor_overwritten(server, content):
    server.put("keys/s1.example.org.private", content)
    before = server.everything()
    assert server.read("dkim_key") == {}
    with pytest.raises(WriteError, match="move it away"):
        server.create(key())
    assert server.everything() == before
