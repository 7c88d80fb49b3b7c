import pytest

from reconciler.spec.meaning import complaints
from tests.support.specs import spec


def said(**overrides) -> list[tuple[tuple[int | str, ...], str]]:
    return [(complaint.loc, complaint.message) for complaint in complaints(spec(**overrides))]


def _signed(mailbox: str) -> dict[str, object]:
    ways = {"submission": "mail.new.example:587", "imap": "mail.new.example:993"}
    return {"signed": {"mailbox": mailbox, "password": "env:X", **ways}}


def test_a_sound_spec_gives_no_complaint():
    assert said() == []
    assert (
        said(
            aliases={
                "info@example.org": ["ann@example.org", "someone@example.net"],
                "sales@example.org": ["info@example.org"],
                "ann@example.org": ["ann@example.org", "bob@example.org"],
            },
            catch_all="info@example.org",
            hosts={"mail.example.org": {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}},
            generated_passwords="new.csv",
            journal="postgresql://me@db.example.org/moves",
            mailboxes=[
                {"address": "ann@example.org", "forward_to": "ann@example.net", "password": "generate"},
                {"address": "bob@example.org"},
            ],
        )
        == []
    )


@pytest.mark.parametrize(
    ("overrides", "loc", "words"),
    [
        (
            {"mailboxes": [{"address": "ann@example.org"}, {"address": "Ann@Example.org"}]},
            ("mailboxes", 1, "address"),
            "ann@example.org stands twice",
        ),
        ({"mailboxes": [{"address": "ann@example.net"}]}, ("mailboxes", 0, "address"), "is not in example.org"),
        ({"mailboxes": [{"address": "ann@sub.example.org"}]}, ("mailboxes", 0, "address"), "is not in example.org"),
        (
            {"aliases": {"info@example.net": ["ann@example.org"]}},
            ("aliases", "info@example.net"),
            "the alias info@example.net is not in example.org",
        ),
        (
            {"mailboxes": [{"address": "ann@example.org", "forward_to": "ann.old@example.org"}]},
            ("mailboxes", 0, "forward_to"),
            "comes back to the new server",
        ),
        (
            {"mailboxes": [{"address": f"{n}@example.org", "password": "generate"} for n in "ab"]},
            ("mailboxes", 0, "password"),
            "'generated_passwords: passwords.csv'",
        ),
        ({"probe": _signed("carl@example.org")}, ("probe", "signed", "mailbox"), "is no mailbox of the spec"),
        (
            {
                "probe": _signed("ann@example.org"),
                "mailboxes": [{"address": "ann@example.org", "forward_to": "a@b.example"}],
            },
            ("probe", "signed", "mailbox"),
            "is forwarded to a@b.example, and so would the test message be",
        ),
        (
            {"probe": _signed("ann@example.org"), "new": {"dkim": []}},
            ("probe", "signed"),
            "new.dkim names no key",
        ),
        ({"aliases": {"info@example.org": []}}, ("aliases", "info@example.org"), "has no target"),
        (
            {"aliases": {"ann@example.org": ["bob@example.org"]}},
            ("aliases", "ann@example.org"),
            "the mailbox would never get mail; add ann@example.org",
        ),
        (
            {"aliases": {"info@example.org": ["info@example.org"]}},
            ("aliases", "info@example.org"),
            "delivers only to itself",
        ),
        (
            {"aliases": {"info@example.org": ["ann@example.org", "gone@example.org"]}},
            ("aliases", "info@example.org", 1),
            "gone@example.org, a target of the alias info@example.org, is neither",
        ),
        ({"catch_all": "gone@example.org"}, ("catch_all",), "neither a mailbox nor an alias"),
        ({"old": {"mx": ["10 a.example.net", "20 a.example.net"]}}, ("old", "mx", 1), "a.example.net stands twice"),
        ({"new": {"mx": ["10 mx.old.example"]}}, ("new", "mx"), "would move nothing"),
        (
            {"hosts": {"mail.example.org": {"old": ["192.0.2.1", "2001:db8::1"], "new": ["2001:DB8::1", "192.0.2.1"]}}},
            ("hosts", "mail.example.org"),
            "same addresses before and after",
        ),
        ({"new": {"dkim": ["a", "s1"]}}, ("new", "dkim", 1), "cannot publish two keys"),
        ({"new": {"dkim": ["a", "a"]}}, ("new", "dkim", 1), "stands twice"),
        ({"journal": "postgresql://me:secret@db/x"}, ("journal",), "with the password in it"),
    ],
)
def test_a_contradiction_is_one_complaint_at_its_place(overrides, loc, words: str):
    ((place, message),) = said(**overrides)
    assert place == loc
    assert words in message


def test_the_password_of_a_database_url_is_not_repeated():
    ((_, message),) = said(journal="postgresql://me:hunter2@db/x")
    assert "hunter2" not in message


def test_the_same_exchange_is_fine_where_its_host_changes_its_address():
    assert (
        said(
            new={"mx": ["10 mx.old.example"]}, hosts={"mx.old.example": {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}}
        )
        == []
    )
    assert said(
        new={"mx": ["10 mx.old.example"]}, hosts={"other.example": {"old": ["192.0.2.1"], "new": ["198.51.100.1"]}}
    )


def test_the_other_half_of_a_pair_is_named():
    pairs = [c.other for c in complaints(spec(new={"dkim": ["s1"]}, mailboxes=[{"address": "a@example.org"}] * 2))]
    assert pairs == [("mailboxes", 0, "address"), ("old", "dkim", 0)]


def test_every_contradiction_is_found_not_only_the_first():
    overrides = {
        "new": {"mx": ["10 mx.old.example"], "dkim": ["s1"]},
        "catch_all": "gone@example.org",
        "aliases": {"info@example.org": []},
    }
    assert len(said(**overrides)) == 4
