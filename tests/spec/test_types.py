from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from reconciler.spec.types import Bytes, Domain, Duration, Password, Reference, Seconds, Sender, SpfPolicy, StageName


def read(annotation: Any, value: object) -> object:
    return TypeAdapter(annotation).validate_python(value)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Bytes, 5, 5),
        (Bytes, "5", 5),
        (Bytes, "5 GiB", 5 * 2**30),
        (Bytes, "1.5MiB", 3 * 2**19),
        (Bytes, "0.1 GB", 10**8),
        (Bytes, "2 tb", 2 * 10**12),
        (Seconds, 300, 300),
        (Seconds, "300", 300),
        (Seconds, "5m", 300),
        (Seconds, "1d 12h", 129600),
        (Duration, "2w", timedelta(days=14)),
        (Duration, 60, timedelta(minutes=1)),
        (Domain, "B\u00fccher.Example.", "xn--bcher-kva.example"),
        (Sender, "IP4:192.0.2.1/32", "ip4:192.0.2.1"),
        (SpfPolicy, "-all", "-all"),
        (StageName, "Overlap", "overlap"),
        (Password, "keep", "keep"),
        (Password, "command: pass show it", "command: pass show it"),
        (Reference, "env:X", "env:X"),
    ],
)
def test_a_value_is_read_into_its_normal_form(annotation: object, value: object, expected: object):
    assert read(annotation, value) == expected


@pytest.mark.parametrize(
    ("annotation", "value", "why"),
    [
        (Bytes, "5 apples", "is not a size"),
        (Bytes, "-5", "is not a size"),
        (Bytes, "9" * 400, "is not a size"),
        (Bytes, True, "expected a size"),
        (Seconds, "soon", "is not a time span"),
        (Seconds, "5m and a bit", "is not a time span"),
        (Seconds, "\u00b2", "is not a time span"),
        (Seconds, "", "is not a time span"),
        (Seconds, False, "expected a time span"),
        (Duration, 10**30, "is not a time to wait"),
        (Duration, "99999w", "is not a time to wait"),
        (Duration, -1, "is not a time to wait"),
        (Domain, "192.0.2.1", "looks like an IP address"),
        (Domain, "a b", "is not a domain name"),
        (Sender, "-ip4:192.0.2.1", "senders are authorised"),
        (Sender, "all", "senders are authorised"),
        (Sender, "ip4:x", "is not an SPF mechanism"),
        (SpfPolicy, "+all", "is not an SPF policy"),
        (StageName, "later", "is not a stage"),
        (Password, "hunter2", "does not belong into a spec"),
        (Reference, "hunter2", "must be a reference"),
        (Reference, "keep", "must be a reference"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_reason(annotation: object, value: object, why: str):
    with pytest.raises(ValidationError) as caught:
        read(annotation, value)
    (error,) = caught.value.errors()
    assert why in error["msg"]
    assert "hunter2" not in error["msg"]


@given(st.integers(0, 3650 * 86400))
def test_a_time_span_written_as_json_is_read_back(seconds: int):
    adapter = TypeAdapter(Duration)
    span = adapter.validate_python(seconds)
    assert adapter.validate_json(adapter.dump_json(span)) == span == timedelta(seconds=seconds)


@given(st.integers(0, 10**15), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "TB"]))
def test_a_whole_number_of_units_is_exact(number: int, unit: str):
    steps = "KMGT".find(unit[0]) + 1
    base = 1024 if "i" in unit else 1000
    assert read(Bytes, f"{number} {unit}") == number * base**steps
