from reconciler.mailcopy.imap.grammar import fetched, quoted, tokens


def test_attributes_come_in_any_order_and_spelling() -> None:
    row = fetched([b'* 3 FETCH (RFC822.SIZE 44 internaldate " 1-Jan-2024 10:00:00 +0000" FLAGS (\\Seen a) UID 9)\r\n'])
    assert row is not None
    assert (row.uid, row.flags, row.date, row.size, row.body) == (9, "\\Seen a", " 1-Jan-2024 10:00:00 +0000", 44, None)


def test_keywords_are_not_read_as_attributes() -> None:
    row = fetched([b"* 3 FETCH (FLAGS (UID 7 RFC822.SIZE 1) UID 9 RFC822.SIZE 44)\r\n"])
    assert row is not None
    assert (row.uid, row.size) == (9, 44)


def uid_and_body(parts: list[bytes]) -> tuple[int | None, bytes | None]:
    row = fetched(parts)
    assert row is not None
    return row.uid, row.body


def test_a_body_is_a_literal_or_a_quoted_string_before_or_after_the_uid() -> None:
    assert uid_and_body([b"* 3 FETCH (UID 9 BODY[] ", b") UID 7 (\r\n", b")\r\n"]) == (9, b") UID 7 (\r\n")
    assert uid_and_body([b"* 3 FETCH (BODY[] ", b"UID 7", b" FLAGS (x) UID 9)\r\n"]) == (9, b"UID 7")
    assert uid_and_body([b'* 3 FETCH (UID 9 BODY[] "a\\"b")\r\n']) == (9, b'a"b')
    assert uid_and_body([b'* 3 FETCH (UID 9 BODY[] "")\r\n']) == (9, b"")
    assert uid_and_body([b"* 3 FETCH (UID 9 BODY[] NIL)\r\n"]) == (9, None)


def test_other_responses_are_no_rows() -> None:
    assert fetched([b"* 3 EXISTS\r\n"]) is None
    assert fetched([b"* OK FETCH (UID 3)\r\n"]) is None


def test_names_are_read_as_atom_string_or_literal() -> None:
    assert tokens([b'* LIST (\\HasNoChildren) "/" "a \\"b\\\\"\r\n'])[2:] == [[b"\\HasNoChildren"], b"/", b'a "b\\']
    assert tokens([b"* LIST () NIL ", b'(x) "y', b"\r\n"])[2:] == [[], None, b'(x) "y']
    assert tokens([b'* NAMESPACE (("" "/")("x" ".")) NIL NIL\r\n'])[2:] == [[[b"", b"/"], [b"x", b"."]], None, None]


def test_a_quoted_name_comes_back() -> None:
    assert tokens([b"* X " + quoted(b'a"b\\c (d') + b"\r\n"])[2] == b'a"b\\c (d'
