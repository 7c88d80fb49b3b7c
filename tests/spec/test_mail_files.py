from pathlib import Path

import pytest

from reconciler.errors import SpecError
from reconciler.spec.mail_files import Maildirs, Mboxes

FILES = "copy: {old: {maildir: /var/vmail/%d/%n/Maildir}, new: {maildir: '/home/%u/Maildir', layout: fs, make: true}}\n"


def said(loaded, copy: str) -> str:
    with pytest.raises(SpecError) as caught:
        loaded(f"copy: {copy}\n")
    return str(caught.value)


def test_maildirs_at_both_ends(loaded):
    copy = loaded(FILES).mail_copy
    assert copy.old == Maildirs(maildir="/var/vmail/%d/%n/Maildir")
    assert (copy.new.layout, copy.new.make, copy.new.connections) == ("fs", True, 4)


def test_mbox_files_at_the_old_end(loaded):
    copy = loaded("copy: {old: {mbox: '/home/%n/mail', inbox: /var/mail/%n}, new: {maildir: /m/%n}}\n").mail_copy
    assert copy.old == Mboxes(mbox="/home/%n/mail", inbox="/var/mail/%n")


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        ("{old: {maildir: /m/%n}, new: {mbox: /m/%n}}", "mbox files are a source only"),
        ("{old: {maildir: /m/%n}, new: {host: a.example}}", "by IMAP at both ends or by files at both"),
        ("{old: {maildir: /m/one}, new: {maildir: /m/%n}}", "the same place for every mailbox"),
        ("{old: {maildir: /m/%%n}, new: {maildir: /m/%n}}", "the same place for every mailbox"),
        ("{old: {maildir: /m/%h}, new: {maildir: /m/%n}}", "variable that is not known here"),
        ("{old: {maildir: /m/../%n}, new: {maildir: /m/%n}}", "leads upwards"),
        ("{old: {maildir: /m/%n, layuot: fs}, new: {maildir: /m/%n}}", "did you mean 'layout'?"),
        ("{old: {maildir: /m/%n, layout: other}, new: {maildir: /m/%n}}", "layout"),
        ("{old: {maildir: /m/%n, host: a.example}, new: {maildir: /m/%n}}", "unknown key 'host'"),
        ("{old: {}, new: {maildir: /m/%n}}", "the key 'host' is missing"),
    ],
)
def test_what_cannot_be_meant_is_told(loaded, copy, words):
    assert words in said(loaded, copy)


def test_the_line_and_column_of_a_mistake_below_the_place_are_told(loaded):
    told = said(loaded, "\n  old:\n    maildir: /m/one\n  new: {maildir: /m/%n}")
    file, line, column, _ = told.split(":", 3)
    assert Path(file).read_text().splitlines()[int(line) - 1][int(column) - 1 :] == "/m/one"
