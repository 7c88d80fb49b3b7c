import base64
from datetime import UTC, datetime

import pytest

from reconciler.model.secret import Secret
from reconciler.products.mailinabox.totp import code, until_next

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(second: int, expected: str) -> None:
    assert code(Secret(SECRET), datetime.fromtimestamp(second, UTC)) == expected


def test_a_secret_may_be_written_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime.fromtimestamp(59, UTC)
    spaced = " ".join(SECRET[n : n + 4] for n in range(0, len(SECRET), 4)).lower()
    assert code(Secret(spaced), at) == code(Secret(SECRET), at)
    assert code(Secret("GEZDGNBV"), at) == code(Secret("GEZDGNBV===="), at)


@pytest.mark.parametrize("text", ["not base32!", "", "1"])
def test_what_is_no_base32_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="base32") as caught:
        code(Secret(text), datetime.fromtimestamp(0, UTC))
    assert "not base32!" not in str(caught.value)


def test_the_next_code_comes_at_the_next_half_minute() -> None:
    assert until_next(datetime.fromtimestamp(59, UTC)) == 1
    assert until_next(datetime.fromtimestamp(60, UTC)) == 30
