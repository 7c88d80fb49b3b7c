from datetime import UTC, datetime, timedelta

import pytest

from reconciler.wording.lists import counted, listed, moment, sentences, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (90, "90 s"), (300, "5 min"), (5400, "90 min"), (3600, "1 h"), (86400, "24 h"), (172800, "2 days")],
)
def test_a_span_takes_the_largest_unit_without_a_rest(seconds: int, words: str) -> None:
    assert span(seconds) == words
    assert span(timedelta(seconds=seconds)) == words


def test_a_list_reads_as_a_sentence_and_a_long_one_is_cut() -> None:
    assert listed([]) == ""
    assert listed("a") == "a"
    assert listed("ab") == "a and b"
    assert listed("abc") == "a, b and c"
    assert listed(range(10_000)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 9,990 more"


def test_counts_moments_and_sentences() -> None:
    assert counted(1, "mailbox", "mailboxes") == "1 mailbox"
    assert counted(10_000, "mailbox", "mailboxes") == "10,000 mailboxes"
    assert moment(datetime(2026, 3, 2, 8, 0, 59, tzinfo=UTC)) == "2026-03-02 08:00 UTC"
    assert sentences("a", "", "b") == "a; b"
