"""Files that were not written in full, damaged, or saved with the line ends of another system."""

import re

import pytest

from tests.badinput.conftest import JOURNAL, edit, goes_on, nothing_changes


def cut_after(text):
    return lambda octets: octets[: octets.index(text.encode()) + len(text)]


def ending_in(text):
    return lambda octets: octets + text.encode()


def with_crlf(octets):
    return octets.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("old/users", cut_after("bob@exam"), ":3: the line has no password field: expected user:password:"),
        ("old/users", ending_in("ANN@example.org:x:::\n"), ":4: ann@example.org stands here and in line 2; .* remove"),
        (
            "old/users",
            with_crlf,
            r":1: the line ends in CRLF, .* value; make .* plain: sed -i 's/\\r\$//' .*/old/users",
        ),
        ("new/virtual", with_crlf, r":1: the line ends in CRLF, .*: sed -i 's/\\r\$//' .*/new/virtual"),
        ("new/users", ending_in("\0\0\0\0"), ":3: there are NUL octets: the file is damaged; restore it"),
        (
            "old/virtual",
            ending_in("sales@example.org\n"),
            ":5: sales@example.org has no value: .* Postfix skips it: mend",
        ),
        (
            "new/virtual",
            ending_in("info@example.org x\ninfo@example.org y\n"),
            ":4: info@example.org stands here and in",
        ),
        (
            "new/opendkim/KeyTable",
            ending_in("s._domainkey.example.org example.org:s\n"),
            ":2: .* no DOMAIN:SELECTOR:PATH",
        ),
        ("new/opendkim/SigningTable", ending_in("*@example.org"), ":2: .* has no value: .* written in full"),
        ("example.org.zone", cut_after("; serial"), r":3: the bracket \( is never closed\. .* correct the line"),
        ("example.org.zone", cut_after("include:_spf"), ":14: a quotation mark is never closed. .* correct the line"),
        ("example.org.zone", lambda _: b"", ": the zone example.org. needs one SOA record, .* It may be half-written"),
        ("example.org.zone", ending_in("\0"), ":21: a zero byte: the file is damaged"),
    ],
)
def test_the_line_is_named_with_what_it_means_and_what_to_do(run, world, spec, name, damage, says):
    path = world / name
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    with nothing_changes(world, JOURNAL):
        for command, *options in (("plan",), ("apply", "--yes")):
            result = run(command, spec, *options)
            assert (result.code, result.out) == (1, "")
            assert re.search(re.escape(str(path)) + says, result.err), result.err
    path.write_bytes(whole)
    assert run("plan", spec).code == 2


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("{SHA512-CRYPT}$6$Cikd3ge3BPz8cgiJ$5v.qFG", "old/users:3: the end of the hash is missing"),
        ("", "old/users has no password for it; give one by reference, or generate"),
    ],
)
def test_half_a_password_hash_is_not_carried_to_the_new_server(run, world, spec, password, says):
    users = world / "old" / "users"
    whole = users.read_bytes()
    users.write_bytes(cut_after("bob@example.org:")(whole) + password.encode())
    accounts = (world / "new" / "users").read_bytes()
    result = run("apply", spec, "--yes")
    assert result.code == 1
    assert "new/mailbox/bob@example.org cannot be made" in result.err
    assert says in result.err
    assert "5v.qFG" not in result.said
    assert (world / "new" / "users").read_bytes() == accounts
    users.write_bytes(whole)
    goes_on(run, spec)


def test_an_old_server_without_its_accounts_blocks_the_mailboxes(run, world, spec):
    (world / "old" / "users").write_bytes(b"")
    accounts = (world / "new" / "users").read_bytes()
    result = run("apply", spec, "--yes")
    assert result.code == 4
    assert "the old server has no account for 2 mailboxes" in result.out
    assert "set password: generate, or a reference" in result.out
    assert (world / "new" / "users").read_bytes() == accounts


@pytest.mark.parametrize("damage", [lambda octets: octets[:9000], lambda octets: b"no database at all\n" * 100])
def test_a_damaged_journal_stops_everything_and_says_what_is_lost_without_it(run, world, spec, damage):
    goes_on(run, spec)
    journal = world / JOURNAL
    journal.write_bytes(damage(journal.read_bytes()))
    edit(spec, ("stage: prepare", "stage: overlap"))
    with nothing_changes(world):
        for arguments in (("plan",), ("apply", "--yes"), ("status",), ("history",), ("rollback", "--all", "--yes")):
            command, *options = arguments
            result = run(command, spec, *options)
            assert (result.code, result.out) == (1, "")
            assert f"the journal {journal} cannot be read" in result.err
            assert "move it away and go on without it" in result.err
    journal.rename(world / "damaged")
    goes_on(run, spec)


def test_a_spec_and_a_list_of_mailboxes_with_crlf_are_read(run, world, spec):
    (world / "people.csv").write_bytes(b"address,name,password\r\neve@example.org,Eve,generate\r\n")
    edit(spec, ("dmarc:", "generated_passwords: new-passwords\nmailboxes_from: people.csv\ndmarc:"))
    spec.write_bytes(with_crlf(spec.read_bytes()))
    goes_on(run, spec)
    users = (world / "new" / "users").read_bytes()
    assert b"\r" not in users
    assert b"\neve@example.org:{" in users


def test_a_zone_keeps_its_crlf(run, world, spec):
    zone = world / "example.org.zone"
    zone.write_bytes(with_crlf(zone.read_bytes()))
    before = zone.read_bytes()
    edit(spec, ("stage: prepare", "stage: overlap"))
    goes_on(run, spec)
    assert b"198.51.100.7" in zone.read_bytes()
    assert not re.search(rb"[^\r]\n", zone.read_bytes())
    unchanged = set(before.splitlines()) & set(zone.read_bytes().splitlines())
    assert b"www     3600 IN A 203.0.113.80" in unchanged
