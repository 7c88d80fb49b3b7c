from datetime import timedelta

from reconciler.wording.times import due, moment
from tests.support.clock import MONDAY_MORNING


def test_a_time_to_come_back_is_never_too_early() -> None:
    assert moment(MONDAY_MORNING + timedelta(seconds=59)) == "2026-03-02 08:00 UTC"
    assert due(MONDAY_MORNING + timedelta(seconds=1)) == "2026-03-02 08:01 UTC"
    assert due(MONDAY_MORNING + timedelta(microseconds=1)) == "2026-03-02 08:01 UTC"
    assert due(MONDAY_MORNING) == "2026-03-02 08:00 UTC"
