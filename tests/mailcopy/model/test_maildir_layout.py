import pytest

from reconciler.mailcopy.model.maildir_layout import Layout, subscribed, with_subscribed

FLAT, NESTED = Layout(), Layout(nested=True)


@pytest.mark.parametrize(
    ("layout", "raw", "directory"),
    [(FLAT, "INBOX", ""), (FLAT, "Work.Old", ".Work.Old"), (NESTED, "INBOX", ""), (NESTED, "Work/Old", "Work/Old")],
)
def test_a_folder_and_its_directory(layout: Layout, raw: str, directory: str) -> None:
    assert layout.directory(raw) == directory
    assert layout.raw(directory) == raw


@pytest.mark.parametrize(
    ("layout", "raw"),
    [
        (FLAT, "."), (FLAT, "a..b"), (FLAT, "a/b"), (FLAT, ""), (FLAT, "a\0"),
        (NESTED, ".."), (NESTED, "../x"), (NESTED, "a/cur"), (NESTED, "new"), (NESTED, ".hidden"), (NESTED, "/etc"),
    ],
)  # fmt: skip
def test_what_no_maildir_can_hold_is_refused(layout: Layout, raw: str) -> None:
    with pytest.raises(ValueError, match="no folder of a Maildir"):
        layout.directory(raw)


def test_other_directories_are_no_folders() -> None:
    assert FLAT.raw("sieve") is None
    assert FLAT.raw(".a/b") is None
    assert FLAT.raw(".") is None
    assert NESTED.raw("a/.b") is None


def test_subscriptions_are_read_in_both_forms() -> None:
    assert subscribed(b"Work.Old\nSent\n", ".") == {"Work.Old", "Sent"}
    assert subscribed(b"V\t2\n\nWork\tOld\nodd\x01tname\n", ".") == {"Work.Old", "odd\tname"}


def test_subscriptions_are_added_in_the_form_that_the_file_has() -> None:
    assert with_subscribed(b"Sent", ["Work.Old"], ".") == b"Sent\nWork.Old\n"
    assert with_subscribed(b"V\t2\n\nSent\n", ["Work.Old"], ".") == b"V\t2\n\nSent\nWork\tOld\n"
    assert subscribed(with_subscribed(b"", ["a.b", "c"], "."), ".") == {"a.b", "c"}
