from reconciler.mailcopy.pace import Pace


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_octets_take_the_time_they_may_take_after_the_first_second() -> None:
    time = Time()
    pace = Pace(1000, lambda: time.now, time.sleep)
    for _ in range(50):
        pace.take(100)
    assert 4.0 <= time.now - 100 <= 5.1


def test_what_was_not_used_is_lost_but_for_a_second() -> None:
    time = Time()
    pace = Pace(1000, lambda: time.now, time.sleep)
    time.now += 60
    pace.take(3000)
    assert 1.9 <= time.now - 160 <= 2.1


def test_without_a_bound_nobody_waits() -> None:
    time = Time()
    Pace(None, lambda: time.now, time.sleep).take(10**12)
    assert time.now == 100
