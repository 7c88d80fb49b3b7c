from itertools import product
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import JournalError
from reconciler.journal.database import open_url
from reconciler.spec.database_url import HIDDEN, complaint, scrubbed, shown

SOUND = (
    "postgresql://me@db.example.org/moves",
    "postgresql+psycopg://me@db.example.org:5432/moves?sslmode=require&application_name=moves",
    "postgresql:///moves?host=/run/postgresql&passfile=~/.pgpass",
    "postgresql:///?service=moves",
    "postgresql://me@[2001:db8::1]:5432/moves?sslkey=me.key&sslcert=me.crt",
    "postgresql://me@h/x?host=h1:5432&host=h2:5433",
    "postgresql://me%40tenant@db/moves",
    "mysql+pymysql://me@db/moves?read_default_file=~/.my.cnf&charset=utf8mb4",
    "oracle+oracledb://me@db:1521/?service_name=x",
    "mssql+pyodbc://me@moves_dsn",
)
NAMES = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "PASSWORD",
    "Pwd",
    "sslpassword",
    "db_password",
    "passphrase",
    "token",
    "access_token",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "key",
    "pw",
    "credential",
    "auth_token",
]
FORMS = (
    "postgresql://me:{}@db/x",
    "postgresql://:{}@db/x",
    "oracle://me:{}@db/x",
    "nosuchdb+nosuchdriver://me:{}@db/x",
    "me:{}@db/x",
    "postgresql//me:{}@db/x",
    "postgresql://me:a/{}@db/x",
    "postgresql://me:a@{}@db/x",
    "postgresql://me%3A{}@db/x",
    "postgresql://me%253A{}@db/x",
    "postgresql://me@db/x#{}",
    "postgresql://me@db:{}/x",
    "postgresql://me@db/x;PWD={}",
    "mssql+pyodbc://DSN;UID=me;PWD={}/x",
    *(f"postgresql://me@db/x?{name}={{}}" for name in NAMES),
    *(f"postgresql://me@db/x?sslmode=require&{name}={{}}&user=me" for name in NAMES),
    "postgresql://me@db/x?p%61ssword={}",
    "postgresql://me@db/x?p%2561sswd={}",
    "postgresql://me@db/x?sslmode=require;password={}",
    "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Dme%3BPWD%3D{}",
    "mssql+pyodbc:///?odbc_connect=DRIVER=x;UID=me;pwd={}",
    "mssql+pyodbc:///?odbc_connect=DRIVER%253Dx%253BpWd%253D{}%253Bx%253Dy",
    "mssql+pyodbc:///?odbc_connect=%7BPWD%7D%3Dx%3BPassword%3D%7B{}%7D",
    "postgresql:///?dsn=host%3Ddb+password%3D'{}'",
    "postgresql:///?host=db%20password%3D{}",
    "postgresql:///?dsn=postgresql%3A%2F%2Fme%3A{}%40db%2Fx",
)
secrets = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", min_size=8, max_size=20).map("S{}".format)


@pytest.mark.parametrize("url", SOUND)
def test_a_url_without_a_password_is_sound_and_shown_as_it_is(url):
    assert complaint(url) is None
    assert shown(url) == url


@pytest.mark.parametrize("form", FORMS)
def test_a_password_in_any_form_is_refused_with_the_way_to_give_it(form):
    url = form.format("hunter2")
    told = complaint(url)
    assert told is not None
    for words in ("~/.pgpass", "PGPASSFILE", "PGSERVICE"):
        assert words in told
    assert "hunter2" not in told + shown(url)


@given(st.sampled_from(FORMS), secrets)
def test_no_form_of_a_password_is_ever_shown(form, secret):
    url = form.format(secret)
    assert complaint(url) is not None
    for text in (shown(url), str(complaint(url)), scrubbed(f"cannot connect to {url}", url)):
        assert secret not in text
    try:
        database = open_url(url)
    except JournalError as error:  # what it says depends on the drivers that are installed
        said, chained = str(error), (error.__cause__, error.__context__)
    else:
        said, chained = database.name, (None, None)
        database.close()
    assert secret not in said
    assert chained == (None, None)


@given(secrets, st.sampled_from([str, quote, quote_plus]), st.integers(1, 3))
def test_what_is_not_known_to_be_harmless_is_hidden_too(secret, encode, times):
    value = f"-c {secret}"
    for _ in range(times):
        value = quote(value)
    for name, url in product(
        ["options", "x", encode("no such")], ["postgresql://me@db/x?{}={}", "y://h?{}={}&user=me"]
    ):
        assert secret not in shown(url.format(name, value))
    assert secret not in shown(f"postgresql://me@db/x?{secret}")


@given(st.text(max_size=60))
def test_no_text_breaks_it_and_what_is_shown_is_printable(text):
    complaint(text)
    scrubbed(text, text)
    assert shown(text).isprintable()


@pytest.mark.parametrize(
    "words",
    [
        'connection failed: password="hunter2" host=db',
        "missing '=' after PWD={hunter2};UID=me",
        "could not translate postgresql://me:hunter2@db/x",
        "[28000] Login failed; DRIVER=x;PWD=hunter2",
        "invalid token: hunter2",
    ],
)
def test_a_driver_that_quotes_a_connection_string_is_scrubbed(words):
    told = scrubbed(words, "postgresql://me@db/x")
    assert "hunter2" not in told
    assert HIDDEN in told


def test_a_drivers_other_words_stay():
    words = 'connection to server at "db" (192.0.2.1) failed: FATAL: password authentication failed for user "me"'
    assert scrubbed(words, "postgresql://me@db/x") == words
