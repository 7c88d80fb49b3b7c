from reconciler.mailcopy.model.message import header_of, identify, normalised, text_digest

HEADER = (
    b"Message-ID: <a@b>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
    b"From: Ann <ann@example.org>\r\nSubject: one\r\n two\r\n"
)


def test_folding_case_and_order_do_not_change_the_identity() -> None:
    other = (
        b"SUBJECT: one two\nFROM:Ann <ann@example.org>\nX: y\n"
        b"message-id:\n <a@b>\nDate: Mon, 1 Jan 2024\n\t10:00:00 +0000\n"
    )
    assert identify(HEADER) == identify(other)


def test_headers_that_a_server_adds_do_not_change_it() -> None:
    assert identify(b"Received: from x\r\nReturn-Path: <>\r\n" + HEADER) == identify(HEADER)


def test_another_subject_is_another_message() -> None:
    assert identify(HEADER) != identify(HEADER.replace(b"two", b"three"))


def test_eight_bit_headers_and_nul_do_not_change_it() -> None:
    assert identify(HEADER + b"To: J\xf6rg <j@e>\r\n") == identify(HEADER + b"To: J\x80rg <j@e>\r\n")
    assert identify(HEADER.replace(b"one", b"o\0ne")) == identify(HEADER.replace(b"one", b"o\x80ne"))


def test_without_a_message_id_the_identity_is_weak() -> None:
    assert identify(HEADER).strong
    assert not identify(b"Subject: x\r\n").strong


def test_the_text_is_the_same_under_more_header_and_other_line_ends() -> None:
    assert text_digest(HEADER + b"\r\nbody\r\n") == text_digest(b"Received: x\n" + HEADER + b"\nbody\n")
    assert text_digest(HEADER + b"\r\nbody\r\n") != text_digest(HEADER + b"\r\nbodY\r\n")


def test_a_message_without_body_is_all_header() -> None:
    assert header_of(b"A: b\r\n") == b"A: b\r\n"
    assert header_of(b"A: b\r\n\r\nbody") == b"A: b"


def test_the_known_rewritings_are_equal() -> None:
    assert normalised(b"a\nb\r\r\nc\0") == normalised(b"a\r\nb\r\nc\x80")


def test_a_line_end_that_a_server_puts_at_the_very_end_is_not_a_difference() -> None:
    assert text_digest(HEADER + b"\r\nbody") == text_digest(HEADER + b"\r\nbody\r\n")
    assert text_digest(HEADER + b"\r\nbody\r\n\r") == text_digest(HEADER + b"\r\nbody\r\n\r\r\n")
    assert text_digest(HEADER + b"\r\nbody\r\n") != text_digest(HEADER + b"\r\nbody\r\n\r\n")


def test_a_header_whose_octets_outside_ascii_became_x_is_still_the_same() -> None:
    raw, cyrus = b"Message-ID: <1@x>\r\nSubject: J\xf6rg\r\n\r\n", b"Message-ID: <1@x>\r\nSubject: JXrg\r\n\r\n"
    assert identify(raw) == identify(cyrus)
    assert normalised(raw + b"b\xf6dy\r\n") == normalised(cyrus + b"b\xf6dy\r\n")
    assert normalised(raw + b"b\xf6dy\r\n") != normalised(cyrus + b"bXdy\r\n")
