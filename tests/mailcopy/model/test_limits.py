import pytest

from reconciler.mailcopy.model.limits import Limits, known_limits


@pytest.mark.parametrize("host", ["imap.gmail.com", "IMAP.Gmail.com.", "imap.googlemail.com"])
def test_gmail_lets_less_in_than_out(host: str) -> None:
    reading, writing = known_limits(host, writing=False), known_limits(host, writing=True)
    assert (reading.octets_a_day, writing.octets_a_day) == (2_500_000_000, 500_000_000)
    assert (reading.connections, writing.connections, writing.largest) == (10, 10, 35_651_584)


@pytest.mark.parametrize("host", ["outlook.office365.com", "outlook.office365.us", "partner.outlook.cn"])
def test_microsoft_365_bounds_a_message_and_asks_for_pauses_instead_of_a_daily_volume(host: str) -> None:
    limits = known_limits(host, writing=True)
    assert (limits.connections, limits.octets_a_day, limits.largest) == (10, None, 35_000_000)


@pytest.mark.parametrize("host", ["imap.example.org", "gmail.com.example.org", "notimap.gmail.com"])
def test_a_server_of_ones_own_has_no_daily_limit(host: str) -> None:
    assert known_limits(host, writing=True) == Limits()
