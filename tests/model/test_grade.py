from reconciler.model.grade import Difference, Grade, Kind, grade


def test_no_difference_is_perfect() -> None:
    assert grade([]) is Grade.PERFECT


def test_explained_differences_are_good() -> None:
    assert grade([Difference("INBOX", Kind.EXTRA, 3, explained="delivered there")]) is Grade.GOOD


def test_an_unexplained_flag_wants_a_person() -> None:
    assert grade([Difference("A", Kind.EXTRA, 1, "x"), Difference("A", Kind.FLAGS, 1)]) is Grade.INVESTIGATE


def test_missing_or_altered_mail_is_poor_whatever_else_is_explained() -> None:
    assert grade([Difference("A", Kind.FLAGS, 1), Difference("A", Kind.MISSING, 1)]) is Grade.POOR
    assert grade([Difference("A", Kind.ALTERED, 1)]) is Grade.POOR
    assert grade([Difference("A", Kind.MISSING, 1, explained="refused: too big")]) is Grade.GOOD
