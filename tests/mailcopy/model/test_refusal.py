from datetime import timedelta

import pytest

from reconciler.mailcopy.model.refusal import Meaning, backoff, fit_for_people, meaning, throttled


@pytest.mark.parametrize(("words", "expected"), [
    ("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", Meaning.USED_UP),
    ("[ALERT] Account exceeded command or bandwidth limits. (Failure)", Meaning.USED_UP),
    ("Too many simultaneous connections. (Failure)", Meaning.SLOW_DOWN),
    ("[OVERQUOTA] Quota exceeded (mailbox for user is full)", Meaning.FULL),
    ("Quota exceeded", Meaning.FULL),
    ("[LIMIT] Too much", Meaning.SLOW_DOWN),
    ("[UNAVAILABLE] Temporary", Meaning.SLOW_DOWN),
    ("Request is throttled. Suggested Backoff Time: 299961 milliseconds", Meaning.SLOW_DOWN),
    ("[THROTTLED] wait", Meaning.SLOW_DOWN),
    ("[NOPERM] ACL", Meaning.FOLDER),
    ("[TRYCREATE] no such mailbox", Meaning.LOST),
    ("[TOOBIG] message", Meaning.MESSAGE),
    ("Message contains bare newlines", Meaning.MESSAGE),
])  # fmt: skip
def test_the_code_decides_then_the_words_then_it_is_the_message(words: str, expected: Meaning) -> None:
    assert meaning(words) is expected


@pytest.mark.parametrize(("words", "expected"), [
    ("Request is throttled. Suggested Backoff Time: 178755 milliseconds", True),
    ("[LIMIT] FETCH failed", True),
    ("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", True),
    ("[SERVERBUG] Internal error occurred", False),
    ("[OVERQUOTA] Mailbox is full", False),
    ("Some of the requested messages no longer exist", False),
])  # fmt: skip
def test_a_server_that_was_asked_too_much_says_so(words: str, expected: bool) -> None:
    assert throttled(words) is expected


def test_the_server_says_how_long_else_it_doubles() -> None:
    assert backoff(1, "Suggested Backoff Time: 299961 milliseconds") == timedelta(milliseconds=299961)
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 20)] == [2, 4, 8, 300]


def test_words_are_one_line_without_the_secret() -> None:
    assert fit_for_people("no\r\n\x1b[1m hunter2 is wrong", "hunter2") == "no [1m *** is wrong"
