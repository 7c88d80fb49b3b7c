from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from reconciler.spec.copy import ImapServer, MailCopy

OLD = "copy: {old: {host: imap.old.example}, new: {host: imap.new.example}}\n"


def wrong(**keys) -> str:
    """What is said of an IMAP server with these keys."""
    with pytest.raises(ValidationError) as caught:
        ImapServer(**{"host": "imap.old.example", **keys})
    return str(caught.value)


def test_two_hosts_are_enough(loaded):
    copy = loaded(OLD).mail_copy
    assert copy.old == ImapServer(host="imap.old.example")
    assert (copy.old.at_port, copy.old.tls, copy.old.login) == (993, "implicit", "own")
    assert copy.parallel == 16


def test_without_the_section_no_mail_is_copied(loaded):
    assert loaded().mail_copy is None


def test_the_port_follows_the_security():
    assert ImapServer(host="a.example", tls="starttls").at_port == 143
    assert ImapServer(host="a.example", tls="starttls", port=10143).at_port == 10143
    assert ImapServer(host="::1", tls="none").at_port == 143


@pytest.mark.parametrize("host", ["imap.old.example", "192.0.2.1", "localhost.example", "2001:db8::1"])
def test_no_password_crosses_a_network_in_the_clear(host):
    assert "in the clear; write tls: implicit or tls: starttls" in wrong(host=host, tls="none")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_a_tunnel_on_this_machine_needs_no_tls(host):
    assert ImapServer(host=host, tls="none").host == host


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"login": "master"}, "needs master_user"),
        ({"login": "master", "master_user": "m"}, "needs password"),
        ({"login": "authzid", "password": "env:P"}, "needs master_user"),
        (
            {"login": "proxyauth", "password": "env:P"},
            "needs master_user beside it: an administrator logs in and becomes",
        ),
        ({"login": "proxyauth", "master_user": "m"}, "needs password"),
        ({"login": "x-masterauth"}, "needs password beside it: the server's master password"),
        ({"login": "xoauth2"}, "needs token or service_account"),
    ],
)
def test_what_a_login_lacks_is_named(keys, missing):
    assert missing in wrong(**keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"password": "env:P"},
        {"login": "own", "master_user": "m"},
        {"login": "xoauth2", "token": "env:T", "password": "env:P"},
        {"login": "master", "master_user": "m", "password": "env:P", "token": "env:T"},
        {"login": "own", "service_account": {"google": "file:key.json"}},
        {"login": "x-masterauth", "master_user": "m", "password": "env:P"},
        {"login": "proxyauth", "master_user": "m", "password": "env:P", "token": "env:T"},
    ],
)
def test_what_a_login_does_not_use_is_refused(keys):
    assert "has no use with login" in wrong(**keys)


APPLICATION = {"tenant": "example.org", "client": "6731de76-14a6-49ae-97bc-6eba6914391e", "secret": "env:SECRET"}


def test_a_service_account_stands_for_a_token():
    google = ImapServer(host="imap.gmail.com", login="xoauth2", service_account={"google": "file:key.json"})
    assert google.service_account is not None
    assert google.service_account.google == "file:key.json"
    microsoft = ImapServer(host="outlook.office365.com", login="xoauth2", service_account={"microsoft": APPLICATION})
    assert microsoft.service_account is not None
    assert microsoft.service_account.microsoft is not None
    assert microsoft.service_account.microsoft.authority == "https://login.microsoftonline.com"
    assert "two ways" in wrong(login="xoauth2", token="env:T", service_account={"google": "file:key.json"})


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({}, "either google or microsoft"),
        ({"google": "file:key.json", "microsoft": APPLICATION}, "either google or microsoft"),
        ({"google": "-----BEGIN PRIVATE KEY-----"}, "reference"),
        ({"microsoft": {**APPLICATION, "secret": "hunter2"}}, "reference"),
        ({"microsoft": {**APPLICATION, "tenant": "../consumers"}}, "tenant"),
        ({"microsoft": {**APPLICATION, "authority": "http://login.example"}}, "no https URL"),
        ({"microsoft": {**APPLICATION, "authority": "https://user@login.example"}}, "no https URL"),
    ],
)
def test_a_service_account_is_whole_and_its_secrets_are_references(account, said):
    found = wrong(login="xoauth2", service_account=account)
    assert said in found
    assert "hunter2" not in found


def test_a_literal_password_is_refused_and_not_repeated():
    said = wrong(login="master", master_user="m", password="hunter2")
    assert "reference" in said
    assert "hunter2" not in said


def test_a_fingerprint_is_64_digits():
    assert ImapServer(host="a.example", fingerprint=":".join(["AB"] * 32)).fingerprint == "ab" * 32
    assert "SHA-256" in wrong(fingerprint="AB:CD")


def test_a_mailbox_is_not_copied_into_itself():
    one = {"host": "imap.example", "login": "master", "master_user": "m", "password": "env:P"}
    with pytest.raises(ValidationError, match="copied into itself"):
        MailCopy(old=one, new=one)


def test_folders_are_named_by_paths():
    ends = {"old": {"host": "a.example"}, "new": {"host": "b.example"}}
    copy = MailCopy(**ends, folders={"Gesendet": "Sent"}, exclude=["Old/Lists"])
    assert (copy.folders, copy.exclude) == ({"Gesendet": "Sent"}, ("Old/Lists",))
    with pytest.raises(ValidationError, match="between its slashes is empty"):
        MailCopy(**ends, exclude=["/Lists"])


def test_the_planned_cutover_is_a_moment_with_its_zone(loaded, only_problem_of):
    ends = "old: {host: a.example}, new: {host: b.example}"
    copy = loaded(f"copy: {{{ends}, cutover: 2026-03-09T20:00:00+01:00}}\n").mail_copy
    assert copy.cutover == datetime(2026, 3, 9, 19, tzinfo=UTC)
    assert "timezone" in only_problem_of(f"copy: {{{ends}, cutover: 2026-03-09T20:00:00}}\n")


def test_a_misspelt_key_of_a_server_is_told_with_its_place(only_problem_of):
    said = only_problem_of("copy:\n  old: {host: a.example, prot: 993}\n  new: {host: b.example}\n")
    assert said == "6:26: unknown key 'prot'; did you mean 'port'?"


def test_a_login_that_is_not_known_is_told_with_all_that_are(only_problem_of):
    said = only_problem_of("copy: {old: {host: a.example, login: kerio}, new: {host: b.example}}\n")
    assert said.endswith("login: expected one of own, master, authzid, proxyauth, x-masterauth, xoauth2")


def test_an_incomplete_login_is_told_with_its_place(only_problem_of):
    said = only_problem_of("copy:\n  old: {host: a.example}\n  new:\n    host: b.example\n    login: xoauth2\n")
    assert said.startswith("8:5: ")
    assert "login: xoauth2 needs token or service_account beside it: an access token is sent" in said


def test_dates_are_the_servers_unless_the_spec_wants_the_messages_own(loaded, only_problem_of):
    assert loaded(OLD).mail_copy.date == "internaldate"
    ends = "old: {host: a.example}, new: {host: b.example}"
    assert loaded(f"copy: {{{ends}, date: header}}\n").mail_copy.date == "header"
    said = only_problem_of("copy:\n  date: headers\n  old: {host: a.example}\n  new: {host: b.example}\n")
    assert said == "6:9: date: expected one of internaldate, header"
    files = "old: {maildir: /a/%u}, new: {maildir: /b/%u}"
    assert "a copy by files keeps the time of each file" in only_problem_of(f"copy: {{{files}, date: header}}\n")


def test_what_is_approved_for_one_mailbox_is_a_word_that_is_known(loaded, only_problem_of):
    boxes = "mailboxes: [{address: ann@example.org, copy: {approve: [unstable]}}, {address: bob@example.org}]\n"
    ann, bob = loaded(boxes).mailboxes
    assert (ann.mail_copy.approve, bob.mail_copy.approve) == (("unstable",), ())
    said = only_problem_of("mailboxes:\n- address: ann@example.org\n  copy: {approve: [unsteady]}\n")
    assert said.startswith("7:20: ")
    assert "unstable" in said
    assert "aprove" in only_problem_of("mailboxes:\n- address: ann@example.org\n  copy: {aprove: [unstable]}\n")
