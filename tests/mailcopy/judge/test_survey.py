import pytest

from reconciler.errors import MailError
from reconciler.mailcopy.job import Rules
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import FolderState
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.model.grade import Grade, Kind
from tests.mailcopy.judge.conftest import ANN, Judge, told
from tests.mailcopy.judge.scripted import Box, HangUp, Message, Server, listed, mail, mails


def test_two_equal_sides_are_perfect(judge: Judge) -> None:
    verdict = judge()
    assert (verdict.grade, verdict.differences, verdict.messages, verdict.sampled) == (Grade.PERFECT, (), 5, 5)


def test_a_folder_of_two_rows_is_looked_at_if_one_says_that_it_holds_mail(
    old: Server, new: Server, judge: Judge
) -> None:
    rows = b'* LIST (\\Noselect) "/" Work\r\n' + listed(b"Work", Box()) + b'* LIST (\\NoSelect) "/" Work\r\n'
    old.hook = lambda tag, said, _: (
        listed(b"INBOX", Box()) + rows + tag + b" OK\r\n" if said.startswith(b"LIST") else None
    )
    new.boxes[b"Work"].messages.clear()
    assert told(judge()) == [("Work", Kind.MISSING, 2, False)]


def test_a_list_that_ends_with_no_keeps_its_rows_and_is_not_perfect(old: Server, judge: Judge) -> None:
    rows = b"".join(listed(name, box) for name, box in old.boxes.items())
    old.hook = lambda tag, said, _: rows + tag + b" NO [SERVERBUG] half\r\n" if said.startswith(b"LIST") else None
    verdict = judge()
    assert told(verdict) == [("(the list of folders)", Kind.UNJUDGED, 1, False)]
    assert verdict.differences[0].example == "[SERVERBUG] half"
    assert (verdict.grade, verdict.messages) == (Grade.INVESTIGATE, 5)


def test_a_server_that_lists_not_all_at_once_is_asked_level_by_level(old: Server, judge: Judge) -> None:
    old.boxes[b"Work/Deep"] = Box(mails(70))
    asked: list[bytes] = []

    def by_level(tag: bytes, said: bytes, _box: bytes | None) -> bytes | None:
        if not said.startswith(b"LIST"):
            return None
        asked.append(said)
        if b"*" in said:
            return tag + b" NO [LIMIT] that is a lot\r\n"
        prefix = said.split(b'"')[3].removesuffix(b"%")
        below = [name for name in old.boxes if name.startswith(prefix) and b"/" not in name.removeprefix(prefix)]
        return b"".join(listed(name, old.boxes[name]) for name in below) + tag + b" OK\r\n"

    old.hook = by_level
    assert told(judge()) == [("Work/Deep", Kind.MISSING, 1, False)]
    assert b'LIST "" "Work/%"' in asked


@pytest.mark.parametrize(
    "row",
    [b'* LIST () "/" two words\r\n', b'* LIST () "/" {4}\r\na\r\nb\r\n', b'* LIST () "/"\r\n', b'* LIST ("x\r\n'],
    ids=["not quoted", "a line end", "no name", "no end"],
)
def test_a_row_that_names_no_folder_is_counted(old: Server, judge: Judge, row: bytes) -> None:
    rows = b"".join(listed(name, box) for name, box in old.boxes.items())
    old.hook = lambda tag, said, _: rows + row + tag + b" OK\r\n" if said.startswith(b"LIST") else None
    assert told(judge()) == [("(the list of folders)", Kind.UNJUDGED, 1, False)]


def test_names_come_as_atom_quoted_or_literal(old: Server, new: Server, judge: Judge) -> None:
    for server, names in ((old, (b"007", b'"12"', b"{3}\r\nNIL")), (new, (b"{3}\r\n007", b"12", b'"NIL"'))):
        rows = listed(b"INBOX", Box()) + b"".join(b'* list () "/" ' + name + b"\r\n" for name in names)
        server.boxes |= {name: Box(mails(5)) for name in (b"007", b"12", b"NIL")}
        server.hook = lambda tag, said, _, rows=rows: rows + tag + b" OK\r\n" if said.startswith(b"LIST") else None  # type: ignore[misc]
    assert judge().messages == 6
    new.boxes[b"NIL"].messages.clear()
    assert told(judge()) == [("NIL", Kind.MISSING, 1, False)]


def test_inbox_is_looked_at_though_no_list_shows_it(old: Server, new: Server, judge: Judge) -> None:
    rows = listed(b"Work", Box())
    old.hook = lambda tag, said, _: rows + tag + b" OK\r\n" if said.startswith(b"LIST") else None
    new.boxes[b"INBOX"].messages.pop()
    assert told(judge()) == [("INBOX", Kind.MISSING, 1, False)]


@pytest.mark.parametrize("refused", [b'EXAMINE "INBOX"', b"LIST"])
@pytest.mark.parametrize("side", ["old", "new"])
def test_without_inbox_or_a_list_there_is_no_verdict(
    old: Server, new: Server, judge: Judge, refused: bytes, side: str
) -> None:
    server = old if side == "old" else new
    server.hook = lambda tag, said, _: tag + b" NO not now\r\n" if said.startswith(refused) else None
    with pytest.raises(MailError, match="not now"):
        judge()


def test_a_folder_that_is_not_opened_is_not_judged_and_the_others_are(old: Server, judge: Judge) -> None:
    old.hook = lambda tag, said, _: tag + b" NO [NOPERM] locked\r\n" if b"EXAMINE" in said and b"Work" in said else None
    verdict = judge()
    assert told(verdict) == [("Work", Kind.UNJUDGED, 1, False)]
    assert "[NOPERM] locked" in verdict.differences[0].example
    assert (verdict.grade, verdict.messages) == (Grade.INVESTIGATE, 3)


def test_where_the_target_does_not_open_a_folder_none_of_its_messages_is_judged(new: Server, judge: Judge) -> None:
    new.hook = lambda tag, said, _: tag + b" BAD broken index\r\n" if b"EXAMINE" in said and b"Work" in said else None
    verdict = judge()
    assert told(verdict) == [("Work", Kind.UNJUDGED, 2, False)]
    assert verdict.messages == 3


def test_a_folder_that_ends_the_connection_is_not_judged_and_the_others_are(old: Server, judge: Judge) -> None:
    def cut(_tag: bytes, said: bytes, _box: bytes | None) -> bytes | None:
        if said == b'EXAMINE "Work"':
            raise HangUp
        return None

    old.hook = cut
    verdict = judge()
    assert told(verdict) == [("Work", Kind.UNJUDGED, 1, False)]
    assert verdict.messages == 3


def test_a_connection_that_is_lost_once_is_made_anew(old: Server, new: Server, judge: Judge) -> None:
    for server in (old, new):
        seen: set[bytes] = set()

        def cut(_tag: bytes, said: bytes, _box: bytes | None, seen: set[bytes] = seen) -> bytes | None:
            if said.startswith(b"UID FETCH") and said not in seen:
                seen.add(said)
                raise HangUp
            return None

        server.hook = cut
    assert judge(sample=0).grade is Grade.PERFECT


def test_a_refused_examine_that_leaves_another_folder_open_fools_nobody(old: Server, judge: Judge) -> None:
    times = iter(range(9))
    old.keeps_open = True
    old.hook = lambda tag, said, _: tag + b" NO locked\r\n" if said == b'EXAMINE "Work"' and next(times) > 0 else None
    assert told(judge()) == [("Work", Kind.UNJUDGED, 2, False)]


def test_nothing_is_asked_before_the_last_answer_was_heard(old: Server, new: Server, judge: Judge) -> None:
    judge()
    for said in (old.said, new.said):
        fetches = [number for number, command in enumerate(said) if command.startswith(b"UID FETCH")]
        assert fetches
        assert not any(command.startswith((b"STATUS", b"LSUB")) or b"RETURN" in command for command in said)


def test_a_server_that_wants_to_know_who_asks_is_told(old: Server, judge: Judge) -> None:
    known: list[bytes] = []

    def want_to_know(tag: bytes, said: bytes, _box: bytes | None) -> bytes | None:
        if said.startswith(b"ID "):
            known.append(said)
        return tag + b" NO Unsafe Login\r\n" if said.startswith(b"EXAMINE") and not known else None

    old.hook = want_to_know
    assert judge().grade is Grade.PERFECT


def test_the_namespaces_of_others_are_left_to_them(old: Server, judge: Judge) -> None:
    old.boxes[b"Other/bob"] = Box(mails(1))
    spaces = b'* NAMESPACE (("" "/")) (("Other/" "/")) NIL\r\n'
    old.hook = lambda tag, said, _: spaces + tag + b" OK\r\n" if said == b"NAMESPACE" else None
    assert judge().grade is Grade.PERFECT


def test_a_folder_that_is_on_one_side_only_is_missing(old: Server, judge: Judge) -> None:
    old.boxes[b"More"] = Box([Message(1, mail(50)), Message(2, mail(51))])
    verdict = judge()
    assert (told(verdict), verdict.grade) == ([("More", Kind.MISSING, 2, False)], Grade.POOR)


def test_what_a_rule_leaves_out_need_not_be_readable(old: Server, judge: Judge) -> None:
    old.hook = lambda tag, said, _: tag + b" NO locked\r\n" if said == b'EXAMINE "Work"' else None
    assert judge(Rules(FolderRules(exclude=frozenset({"Work"})))).grade is Grade.PERFECT


def test_a_folder_that_had_to_get_another_name_is_found_by_the_copiers_note(
    old: Server, new: Server, judge: Judge, ledger: SqlLedger
) -> None:
    old.boxes[b"work"] = Box(mails(70))
    new.boxes[b"work (2)"] = Box(mails(70))
    new.hook = lambda tag, said, _: None if b"work" not in said or b"(2)" in said else tag + b" OK folded\r\n"
    assert told(judge()) == [("work", Kind.MISSING, 1, False)]
    ledger.open_folder(ANN, FolderState(0, b"work", 7, b"work (2)", 7))
    assert judge().grade is Grade.PERFECT


def test_a_folder_that_shows_messages_of_others_is_judged_there(old: Server, judge: Judge) -> None:
    old.boxes[b"virtual/All"] = Box(mails(1, 2, 3))

    def show(tag: bytes, said: bytes, box: bytes | None) -> bytes | None:
        if b"X-MAILBOX" not in said or box is None:
            return None
        told = [(message.uid, b"INBOX" if box == b"virtual/All" else box) for message in old.boxes[box].messages]
        chosen = told[:1] if said.startswith(b"FETCH 1 ") else told
        rows = (b'* %d FETCH (UID %d X-MAILBOX "%s")\r\n' % (n, uid, home) for n, (uid, home) in enumerate(chosen, 1))
        return b"".join(rows) + tag + b" OK\r\n"

    assert told(judge()) == [("virtual/All", Kind.MISSING, 3, False)]
    old.hook = show
    assert judge().grade is Grade.PERFECT
