from reconciler.mailcopy.model.accounting import FolderAccount, Tally, total


def test_the_sum_must_be_the_count() -> None:
    assert Tally(count=5, copied=3, refused=1, vanished=1, new=3).balanced
    assert Tally(count=6, copied=3, refused=1, vanished=1, waiting=1).balanced
    assert not Tally(count=6, copied=3, refused=1, vanished=1, new=3).balanced


def test_folders_add_up() -> None:
    one = FolderAccount("INBOX", "INBOX", Tally(count=2, copied=2, octets=5))
    two = FolderAccount("A", "A", Tally(count=3, copied=1, excluded=2, octets=7))
    assert total([one, two]) == Tally(count=5, copied=3, excluded=2, octets=12)
    assert total([]) == Tally()
