import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.formats.mail_server.quota_rule import plain_size, plain_text, size, with_size


@pytest.mark.parametrize(
    ("rule", "bytes_"),
    [
        ("*:storage=1G", 1024**3),
        ("*:storage=1048576", 1024**3),
        ("*:storage=5M", 5 * 1024**2),
        ("*:storage=10k", 10240),
        ("*:storage=512B", 512),
        ("*:bytes=5368709120", 5 * 1024**3),
        ("*:bytes=2K", 2048),
        ("*:storage=1T:messages=1000", 1024**4),
        ("*:messages=1000:storage=2M", 2 * 1024**2),
        ("*:storage=0", 0),
        ("*:messages=1000", None),
        ("Trash:storage=100M", None),
        ("?:storage=100M", 100 * 1024**2),
        ("*:storage=1GiB:bytes=5", 5),
        ("Trash:ignore", None),
    ],
)
def test_the_storage_limit_of_all_folders_is_the_quota(rule, bytes_):
    assert size(rule) == bytes_


@pytest.mark.parametrize("rule", ["*:storage=+10%", "*:storage=50%", "*:bytes=-5", "*:storage=much", "*:storage="])
def test_a_limit_that_is_no_absolute_size_is_refused(rule):
    with pytest.raises(ValueError, match="is no absolute size"):
        size(rule)


@pytest.mark.parametrize("rule", ["*:ignore", "*:storage=1G:backend=x", "*", ":storage=1G", "Trash:", "*:messages=+5"])
def test_a_rule_that_is_not_understood_is_refused(rule):
    with pytest.raises(ValueError, match=r"is no quota rule|limits what is not known here"):
        size(rule)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1G", 1024**3),
        ("512", 512),
        ("7B", 7),
        ("10k", 10240),
        ("5M", 5 * 1024**2),
        ("5MB", 5 * 1024**2),
        ("5MiB", 5 * 1024**2),
        ("3t", 3 * 1024**4),
        ("0", 0),
        ("unlimited", 0),
    ],
)
def test_a_size_is_read_as_the_settings_spell_it(text, bytes_):
    assert plain_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "much", "-1", "1.5G", "5iB", "1GG", "*:storage=1G", "10%"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is no size"):
        plain_size(text)


@given(st.integers(min_value=0))
def test_a_size_that_is_written_is_read(wanted):
    assert plain_size(plain_text(wanted)) == wanted


@pytest.mark.parametrize(
    ("rule", "wanted", "becomes"),
    [
        (None, 5, "*:bytes=5"),
        (None, None, None),
        ("*:storage=1G", 5, "*:bytes=5"),
        ("*:storage=1G:messages=7", 5, "*:bytes=5:messages=7"),
        ("*:messages=7", 5, "*:messages=7:bytes=5"),
        ("*:messages=7:bytes=5", None, "*:messages=7"),
        ("*:bytes=5", None, None),
    ],
)
def test_other_limits_of_a_rule_stay(rule, wanted, becomes):
    assert with_size(rule, wanted) == becomes


@given(st.integers(min_value=0), st.sampled_from([None, "*:messages=1", "*:bytes=3:messages=1"]))
def test_what_is_written_is_read(wanted, rule):
    written = with_size(rule, wanted)
    assert written is not None
    assert size(written) == wanted
