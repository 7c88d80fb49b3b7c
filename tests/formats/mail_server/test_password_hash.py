import bcrypt
import pytest

from reconciler.formats.mail_server.password_hash import is_cut_short, tagged, to_store
from reconciler.model.secret import Secret


@pytest.mark.parametrize(
    ("stored", "carried"),
    [
        ("{SSHA512}abc", "{SSHA512}abc"),
        ("{PLAIN}x", "{PLAIN}x"),
        ("{SHA512-CRYPT}$6$s$h", "{SHA512-CRYPT}$6$s$h"),
        ("{BLF-CRYPT.B64}x", "{BLF-CRYPT.B64}x"),
        ("$6$s$h", "{SHA512-CRYPT}$6$s$h"),
        ("$6$rounds=656000$s$h", "{SHA512-CRYPT}$6$rounds=656000$s$h"),
        ("$5$s$h", "{SHA256-CRYPT}$5$s$h"),
        ("$1$s$h", "{MD5-CRYPT}$1$s$h"),
        ("$2y$05$h", "{BLF-CRYPT}$2y$05$h"),
        ("$2b$12$h", "{BLF-CRYPT}$2b$12$h"),
        ("$argon2id$v=19$h", "{ARGON2ID}$argon2id$v=19$h"),
        ("$y$j9T$s$h", "{CRYPT}$y$j9T$s$h"),
        ("ab01FAX.bQRSU", "{CRYPT}ab01FAX.bQRSU"),
    ],
)
def test_every_hash_is_carried_with_its_scheme(stored, carried):
    assert tagged(stored).reveal() == carried


def test_a_hash_without_scheme_is_what_the_passdb_takes_it_for():
    assert tagged("geheim", "PLAIN").reveal() == "{PLAIN}geheim"
    assert tagged("$6$s$h", "SHA512-CRYPT").reveal() == "{SHA512-CRYPT}$6$s$h"


@pytest.mark.parametrize("tag", ["", "{CRYPT}", "{SHA512-CRYPT}", "{BLF-CRYPT}"])
@pytest.mark.parametrize(
    "whole",
    [
        "$6$saltsalt$" + "h" * 86,
        "$6$rounds=656000$saltsalt$" + "h" * 86,
        "$5$saltsalt$" + "h" * 43,
        "$1$salt$" + "h" * 22,
        "$2y$05$" + "h" * 53,
        "$y$j9T$saltsalt$" + "h" * 43,
    ],
)
def test_a_hash_whose_end_is_missing_is_recognised(tag, whole):
    assert not is_cut_short(tag + whole)
    assert all(is_cut_short(tag + whole[:end]) for end in range(whole.index("$", 1) + 1, len(whole)))


@pytest.mark.parametrize(
    "stored", ["", "!", "x", "*LK*", "{PLAIN}$6$s$h", "{SSHA512}abc", "ab01FAX.bQRSU", "$argon2i$x"]
)
def test_what_has_no_known_length_is_not_taken_for_cut_short(stored):
    assert not is_cut_short(stored)


def test_a_hash_is_stored_as_it_is():
    assert to_store(Secret("{SHA512-CRYPT}$6$s$h")).reveal() == "{SHA512-CRYPT}$6$s$h"
    assert to_store(Secret("$6$s$h")).reveal() == "{SHA512-CRYPT}$6$s$h"


def test_a_password_is_stored_as_bcrypt():
    stored = to_store(Secret("pässword: with blanks")).reveal()
    assert stored.startswith("{BLF-CRYPT}$2b$")
    assert bcrypt.checkpw("pässword: with blanks".encode(), stored.removeprefix("{BLF-CRYPT}").encode())
    assert to_store(Secret("the same")).reveal() != to_store(Secret("the same")).reveal()


@pytest.mark.parametrize("secret", ["", "{PLAIN}a:b", "{PLAIN}a\nroot:x", "x" * 73, "nul\0"])
def test_what_would_break_the_line_or_be_cut_short_is_refused_without_repeating_it(secret):
    with pytest.raises(ValueError) as caught:
        to_store(Secret(secret))
    assert not secret or secret not in str(caught.value)
