"""The reckoning itself sees what it is there to see."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.journeys.reckoning import Flip, Rules, reckon
from tests.lab.mail_server import Stored
from tests.lab.sender import Letter

ANN, BOB = "ann@example.org", "bob@example.org"
RULES = Rules(
    expand=lambda recipient: (ANN, BOB) if recipient == "both@example.org" else (recipient,),
    place=lambda address: {"127.0.0.1": "old", "127.0.0.2": "new"}[address],
    flips=[Flip(ANN, 10, 11, on=True), Flip(ANN, 20, 21, on=False)],
)


def letter(recipient=ANN, *, by="127.0.0.2", **more) -> Letter:
    return Letter(7, recipient, "x@elsewhere.example", accepted_by=by, accepted_at=15, **more)


def stored(*mailboxes: str, at=15.0, number=7) -> list[Stored]:
    return [Stored(mailbox, at, {"X-Number": str(number)}, Path("/nowhere")) for mailbox in mailboxes]


def test_a_letter_with_its_copy_is_as_it_should_be() -> None:
    figures = reckon([letter()], stored(ANN), stored(ANN), RULES)
    assert not figures.wrong
    assert (figures.sent, figures.delivered, figures.forwarded) == (1, 1, 1)


def test_a_letter_that_nobody_has_is_lost() -> None:
    assert "lost" in reckon([letter()], [], [], RULES).wrong
    assert "lost" in reckon([letter("both@example.org")], stored(ANN), stored(ANN), RULES).wrong
    assert "lost" in reckon([letter(by=None)], [], [], RULES).wrong


def test_a_copy_is_missed_where_the_forward_stood() -> None:
    assert "not forwarded" in reckon([letter()], [], stored(ANN), RULES).wrong
    assert not reckon([letter(BOB)], [], stored(BOB), RULES).wrong


def test_while_a_forward_is_switched_either_is_right() -> None:
    assert not reckon([letter()], [], stored(ANN, at=20.5), RULES).wrong
    assert not reckon([letter()], stored(ANN), stored(ANN, at=20.5), RULES).wrong


def test_a_copy_after_the_move_or_a_second_one_is_too_much() -> None:
    assert "duplicated" in reckon([letter()], stored(ANN), stored(ANN, at=30), RULES).wrong
    assert "duplicated" in reckon([letter()], stored(ANN, ANN), stored(ANN), RULES).wrong
    assert "duplicated" in reckon([letter()], stored(ANN), stored(ANN, ANN), RULES).wrong


def test_a_second_copy_behind_a_broken_connection_is_counted_apart() -> None:
    figures = reckon([letter(unsure=1)], stored(ANN), stored(ANN, ANN), RULES)
    assert not figures.wrong
    assert figures.repeated == 1


def test_mail_in_a_foreign_mailbox_and_mail_of_nobody_are_strays() -> None:
    assert "strays" in reckon([letter(by="127.0.0.1")], stored(ANN, BOB), [], RULES).wrong
    assert "strays" in reckon([letter(by="127.0.0.1")], stored(ANN), stored(ANN), RULES).wrong
    assert "strays" in reckon([], stored(ANN, number=-1), [], RULES).wrong


def test_a_refused_letter_has_bounced() -> None:
    assert "bounced" in reckon([letter(by=None, bounced="550 no")], [], [], RULES).wrong


COPIED = replace(RULES, ends_on="new", history={ANN: 2})
HISTORY_OF_ANN = [Stored(ANN, 1.0, {"X-History": str(number)}, Path("/nowhere")) for number in range(2)]


def test_what_came_to_the_old_server_is_copied_once() -> None:
    came = letter(by="127.0.0.1")
    figures = reckon([came], [*stored(ANN), *HISTORY_OF_ANN], [*stored(ANN), *HISTORY_OF_ANN], COPIED)
    assert not figures.wrong
    assert (figures.copied, figures.history) == (1, 2)
    assert "left behind" in reckon([came], [*stored(ANN), *HISTORY_OF_ANN], HISTORY_OF_ANN, COPIED).wrong
    twice = reckon([came], [*stored(ANN), *HISTORY_OF_ANN], [*stored(ANN, ANN), *HISTORY_OF_ANN], COPIED)
    assert "duplicated" in twice.wrong


@pytest.mark.parametrize("new", [HISTORY_OF_ANN[:1], [*HISTORY_OF_ANN, HISTORY_OF_ANN[0]]])
def test_mail_from_before_the_move_is_there_once(new) -> None:
    assert "history lost or twice" in reckon([], HISTORY_OF_ANN, new, COPIED).wrong
    assert "history lost or twice" in reckon([], HISTORY_OF_ANN[1:], HISTORY_OF_ANN, COPIED).wrong


def test_after_a_return_all_mail_is_on_the_old_server() -> None:
    back = replace(RULES, ends_on="old")
    assert "left behind" in reckon([letter(BOB)], [], stored(BOB), back).wrong
    figures = reckon([letter(BOB)], stored(BOB), stored(BOB), back)
    assert not figures.wrong
    assert figures.copied == 1
