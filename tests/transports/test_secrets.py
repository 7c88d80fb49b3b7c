import os
import stat
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import SecretError
from reconciler.model.secret import Secret
from reconciler.spec.mailbox_csv import row_reference
from reconciler.transports.secrets import ReferencedSecrets
from tests.support.examples import examples

HIDDEN = "hunter2-Tr0ub4dor"


def private(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def refused(secrets: ReferencedSecrets, reference: str) -> str:
    """The message, once nothing of the error holds the secret."""
    with pytest.raises(SecretError) as caught:
        secrets.reveal(reference)
    error: BaseException | None = caught.value
    while error is not None:
        assert HIDDEN not in repr(vars(error)) + repr(error) + repr(error.args)
        assert HIDDEN.encode() not in getattr(error, "object", b"")
        error = error.__context__
    return str(caught.value)


def test_an_environment_variable_is_revealed(tmp_path: Path):
    assert ReferencedSecrets(tmp_path, environment={"IMAP": HIDDEN}).reveal("env:IMAP").reveal() == HIDDEN


def test_the_environment_of_the_process_is_the_one_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECONCILER_TEST_SECRET", HIDDEN)
    assert ReferencedSecrets(tmp_path).reveal("env:RECONCILER_TEST_SECRET").reveal() == HIDDEN


@pytest.mark.parametrize("environment", [{}, {"IMAP": ""}])
def test_a_variable_without_a_value_is_an_error_that_names_it(tmp_path: Path, environment: dict[str, str]):
    assert "variable IMAP is not set" in refused(ReferencedSecrets(tmp_path, environment=environment), "env:IMAP")


@pytest.mark.parametrize("content", [HIDDEN, f"{HIDDEN}\n", f"{HIDDEN}\r\n"])
def test_a_file_is_read_from_the_specs_folder_without_its_line_end(tmp_path: Path, content: str):
    private(tmp_path / "secret", content)
    assert ReferencedSecrets(tmp_path).reveal("file:secret").reveal() == HIDDEN


def test_all_lines_of_a_key_are_kept(tmp_path: Path):
    private(tmp_path / "key.pem", "-----BEGIN\n a \n-----END\n")
    assert ReferencedSecrets(tmp_path).reveal("file:key.pem").reveal() == "-----BEGIN\n a \n-----END"


def test_a_changed_file_is_read_again(tmp_path: Path):
    secrets = ReferencedSecrets(tmp_path)
    private(tmp_path / "secret", "one")
    assert secrets.reveal("file:secret").reveal() == "one"
    private(tmp_path / "secret", "two")
    assert secrets.reveal("file:secret").reveal() == "two"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_open_to_others_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int):
    path = private(tmp_path / "my secret", HIDDEN)
    path.chmod(mode)
    assert f"chmod 600 '{path}'" in refused(ReferencedSecrets(tmp_path), "file:my secret")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "nothing in it"),
        (b"\n", "nothing in it"),
        (HIDDEN.encode() + b"\xff", "not UTF-8"),
        (b"x" * 70000, "larger"),
    ],
)
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, content: bytes, why: str):
    private(tmp_path / "secret", content)
    assert why in refused(ReferencedSecrets(tmp_path), "file:secret")


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path: Path):
    assert "No such file" in refused(ReferencedSecrets(tmp_path), "file:nowhere")
    assert "Is a directory" in refused(ReferencedSecrets(tmp_path), "file:.")
    assert "no path" in refused(ReferencedSecrets(tmp_path), "file:a\0b")


USERS = f'EmailAddress,UserName,Password\r\nAnn@Example.org,ann,{HIDDEN}\r\nb#%@example.org,bob,"a,""b "\r\n'


def test_a_row_of_a_csv_gives_its_password(tmp_path: Path):
    private(tmp_path / "users.csv", USERS)
    secrets = ReferencedSecrets(tmp_path)
    assert secrets.reveal("file:users.csv#ann@example.org").reveal() == HIDDEN
    assert secrets.reveal(row_reference("users.csv", "b#%@example.org", "old_password")).reveal() == 'a,"b '


def test_another_column_of_a_row_is_named_behind_it(tmp_path: Path):
    private(tmp_path / "users.csv", f"address,password,old_password\nann@example.org,{HIDDEN},old\n")
    secrets = ReferencedSecrets(tmp_path)
    assert secrets.reveal("file:users.csv#ann@example.org").reveal() == "old"
    assert secrets.reveal("file:users.csv#ann@example.org:password").reveal() == HIDDEN


def test_a_row_that_is_not_there_is_an_error_that_names_address_and_column(tmp_path: Path):
    private(tmp_path / "users.csv", USERS)
    message = refused(ReferencedSecrets(tmp_path), "file:users.csv#eve@example.org")
    assert "no row for eve@example.org" in message
    assert "old_password" in message


def test_a_csv_open_to_others_is_refused(tmp_path: Path):
    private(tmp_path / "users.csv", USERS).chmod(0o644)
    assert "chmod 600" in refused(ReferencedSecrets(tmp_path), "file:users.csv#ann@example.org")


def test_a_csv_that_changed_is_read_again(tmp_path: Path):
    private(tmp_path / "users.csv", USERS)
    secrets = ReferencedSecrets(tmp_path)
    secrets.reveal("file:users.csv#ann@example.org")
    private(tmp_path / "users.csv", USERS.replace(HIDDEN, "another"))
    assert secrets.reveal("file:users.csv#ann@example.org").reveal() == "another"


def test_a_missing_or_undecodable_csv_is_an_error(tmp_path: Path):
    assert "No such file" in refused(ReferencedSecrets(tmp_path), "file:users.csv#ann@example.org")
    private(tmp_path / "users.csv", USERS.encode() + b"\xff")
    assert "not UTF-8" in refused(ReferencedSecrets(tmp_path), "file:users.csv#ann@example.org")


def test_a_command_is_run_without_a_shell_in_the_specs_folder(tmp_path: Path):
    (tmp_path / "it").write_text("; echo no")
    assert ReferencedSecrets(tmp_path).reveal("command: cat 'it'").reveal() == "; echo no"
    assert ReferencedSecrets(tmp_path).reveal("command: echo $HOME ; x").reveal() == "$HOME ; x"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (f"print('{HIDDEN}'); import sys; print('{HIDDEN}', file=sys.stderr); sys.exit(3)", "status 3"),
        ("", "nothing in it"),
        (f"import os; os.write(1, b'{HIDDEN}\\xff')", "not UTF-8"),
    ],
)
def test_a_command_that_fails_shows_neither_its_output_nor_its_arguments(tmp_path: Path, program: str, why: str):
    (tmp_path / "program.py").write_text(program)
    message = refused(ReferencedSecrets(tmp_path), f"command: {sys.executable} program.py {HIDDEN}")
    assert why in message
    assert sys.executable in message


def test_a_command_that_hangs_is_ended(tmp_path: Path):
    (tmp_path / "program.py").write_text(f"print('{HIDDEN}', flush=True); import time; time.sleep(60)")
    started = time.monotonic()
    message = refused(ReferencedSecrets(tmp_path, patience=0.5), f"command: {sys.executable} program.py")
    assert "within 0.5 seconds" in message
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("line", [f"no-such-program-here {HIDDEN}", f"'{HIDDEN}", "''"])
def test_a_command_that_cannot_be_run_is_an_error(tmp_path: Path, line: str):
    assert refused(ReferencedSecrets(tmp_path), f"command: {line}").startswith("command: ")


def test_a_password_is_kept_through_the_old_server(tmp_path: Path):
    secrets = ReferencedSecrets(tmp_path, password_hash=lambda address: Secret(f"{{CRYPT}}{address}"))
    assert secrets.reveal("keep:ann@example.org").reveal() == "{CRYPT}ann@example.org"


def test_a_password_cannot_be_kept_where_the_old_server_shows_none(tmp_path: Path):
    message = refused(ReferencedSecrets(tmp_path), "keep:ann@example.org")
    assert "ann@example.org" in message
    assert "'password: generate'" in message


@pytest.mark.parametrize("reference", [HIDDEN, f"{HIDDEN}:x", "", "env:"])
def test_what_is_no_reference_is_refused_without_being_repeated(tmp_path: Path, reference: str):
    assert "no secret reference" in refused(ReferencedSecrets(tmp_path), reference)


def test_a_generated_password_is_on_disk_before_it_is_given_out(tmp_path: Path):
    secret = ReferencedSecrets(tmp_path, generated=Path("new.csv")).reveal("generate:ann@example.org").reveal()
    path = tmp_path / "new.csv"
    assert path.read_text() == f"address,password\nann@example.org,{secret}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(secret) >= 20
    assert not set(secret) & set("0Oo1Il5S,\"' ")


def test_the_same_password_is_generated_again_by_the_same_and_by_another_run(tmp_path: Path):
    secrets = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    given_out = {
        address: secrets.reveal(f"generate:{address}").reveal() for address in ("a@b.org", "c@b.org", "a@b.org")
    }
    again = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    assert given_out == {address: again.reveal(f"generate:{address}").reveal() for address in given_out}
    assert len(set(given_out.values())) == 2
    assert len((tmp_path / "new.csv").read_text().splitlines()) == 3


def test_a_generated_password_can_be_referred_to(tmp_path: Path):
    secrets = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    made = secrets.reveal("generate:ann@example.org").reveal()
    assert secrets.reveal("file:new.csv#ann@example.org:password").reveal() == made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(30), deadline=None)
@given(cut=st.integers(0, 100))
def test_a_row_cut_short_by_a_crash_is_never_given_out(tmp_path: Path, cut: int):
    path = tmp_path / "new.csv"
    path.unlink(missing_ok=True)
    secrets = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    first = secrets.reveal("generate:ann@example.org").reveal()
    secrets.reveal("generate:bob@example.org")
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(max(0, len(whole) - cut))
    after = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    bob, ann = (after.reveal(f"generate:{name}@example.org").reveal() for name in ("bob", "ann"))
    assert len(bob) == len(ann) == len(first)
    last = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    assert last.reveal("generate:bob@example.org").reveal() == bob
    assert last.reveal("generate:ann@example.org").reveal() == ann


def test_what_another_process_adds_is_seen(tmp_path: Path):
    one, two = (ReferencedSecrets(tmp_path, generated=Path("new.csv")) for _ in range(2))
    one.reveal("generate:ann@example.org")
    made = two.reveal("generate:bob@example.org").reveal()
    assert one.reveal("generate:bob@example.org").reveal() == made


def test_no_password_is_generated_where_it_would_be_lost_or_seen(tmp_path: Path):
    assert "generated_passwords:" in refused(ReferencedSecrets(tmp_path), "generate:ann@example.org")
    private(tmp_path / "new.csv", "").chmod(0o644)
    secrets = ReferencedSecrets(tmp_path, generated=Path("new.csv"))
    assert "chmod 600" in refused(secrets, "generate:ann@example.org")
    assert (tmp_path / "new.csv").read_bytes() == b""
    elsewhere = ReferencedSecrets(tmp_path, generated=Path("no/such/folder.csv"))
    assert "No such file" in refused(elsewhere, "generate:ann@example.org")


def test_the_file_of_generated_passwords_is_private_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        ReferencedSecrets(tmp_path, generated=Path("new.csv")).reveal("generate:ann@example.org")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o600
