import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import SpecError
from reconciler.model.secret import parse_reference
from reconciler.spec.mailbox_csv import read_mailboxes, row_reference, secrets_of, split_row_reference
from tests.support.effort import grows_with


def problems_of(tmp_path: Path, named: str = "users.csv") -> list[tuple[int, str]]:
    with pytest.raises(SpecError) as caught:
        read_mailboxes(named, tmp_path)
    assert {p.file for p in caught.value.problems} == {str(tmp_path / named)}
    return [(p.line, p.message) for p in caught.value.problems]


def test_microsofts_file_gives_logins_and_references_to_the_old_passwords(write, tmp_path: Path):
    write(
        "EmailAddress,UserName,Password\r\nAnn@Example.org, ann ,hunter2\r\nbob@example.org,,env:BOB\r\n", "users.csv"
    )
    ann, bob = read_mailboxes("users.csv", tmp_path).mailboxes
    assert (ann.address, ann.old_login, ann.old_password) == (
        "ann@example.org",
        "ann",
        "file:users.csv#ann@example.org",
    )
    assert (bob.address, bob.old_login, bob.old_password) == ("bob@example.org", None, "env:BOB")
    assert ann.password == bob.password == "keep"


def test_our_own_file_can_say_all_that_a_mailbox_can(write, tmp_path: Path):
    write(
        "address,name,quota,password,forward_to,moved,old_login,old_password\n"
        'ann@example.org,"Ann, B.",5 GiB,generate,ann@example.net,2026-12-01,ann,command: pass ann\n'
        "bob@example.org,0123,0,hunter2,,true,,\n",
        "users.csv",
    )
    ann, bob = read_mailboxes("users.csv", tmp_path).mailboxes
    assert (ann.name, ann.quota, ann.password) == ("Ann, B.", 5 * 2**30, "generate")
    assert (ann.forward_to, ann.moved, ann.old_password) == ("ann@example.net", date(2026, 12, 1), "command: pass ann")
    assert (bob.name, bob.quota, bob.moved) == ("0123", 0, True)
    assert bob.password == "file:users.csv#bob@example.org:password"


def test_each_wrong_cell_is_reported_with_its_line(write, tmp_path: Path):
    write("\ufeffaddress,quota,moved\r\nann,1,no\r\n\r\nbob@example.org,many,soon\r\nc,d\r\n", "users.csv")
    assert problems_of(tmp_path) == [
        (2, "address: 'ann' is not a mail address: expected local-part@domain"),
        (4, "moved: expected true or false or a date such as 2026-12-01"),
        (4, "quota: 'many' is not a size: write bytes, or a number with KiB, MiB, GiB, TiB (or KB, MB, GB, TB)"),
        (5, "this row has 2 fields, the header 3"),
    ]


def test_a_row_without_an_address_is_reported(write, tmp_path: Path):
    write("address,name\n,Ann\n", "users.csv")
    assert problems_of(tmp_path) == [(2, "the key 'address' is missing")]


def test_literal_passwords_in_a_file_open_to_others_are_refused_once_with_the_command(write, tmp_path: Path):
    write("EmailAddress,Password\na@b.org,env:A\nb@b.org,hunter2\nc@b.org,hunter3\n", "users.csv", 0o640)
    ((line, message),) = problems_of(tmp_path)
    assert line == 3
    assert message.endswith(f"run: chmod 600 {tmp_path / 'users.csv'}")
    assert "hunter" not in message


def test_a_file_of_references_alone_may_be_open_to_others(write, tmp_path: Path):
    write("address,password,old_password\na@b.org,keep,env:A\nb@b.org,generate,\n", "users.csv", 0o644)
    assert len(read_mailboxes("users.csv", tmp_path).mailboxes) == 2


def test_a_password_in_a_row_that_is_wrong_is_not_repeated(write, tmp_path: Path):
    write("EmailAddress,UserName,Password\nhunter1,x,hunter2\nb@b.org,x,hunter2,y\n", "users.csv")
    assert all("hunter2" not in message for _, message in problems_of(tmp_path))


def test_the_lines_of_the_mailboxes_are_kept(write, tmp_path: Path):
    write('address,name\na@b.org,"A \nB"\n', "users.csv")
    with pytest.raises(SpecError, match="control characters"):
        read_mailboxes("users.csv", tmp_path)
    write("address\n\na@b.org\nb@b.org\n", "users.csv")
    assert read_mailboxes("users.csv", tmp_path).lines == (3, 4)


def test_the_work_of_reading_grows_with_the_rows_and_not_faster(write, tmp_path: Path):
    def read(number: int) -> None:
        body = "".join(f"u{i}@example.org,u{i},pw{i}\n" for i in range(number))
        write(f"EmailAddress,UserName,Password\n{body}", "users.csv")
        assert len(read_mailboxes("users.csv", tmp_path).mailboxes) == number

    assert grows_with(read, 500)


local_parts = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}", fullmatch=True)


@given(
    st.text(alphabet="ab/.#% @", min_size=1).map(str.strip).filter(bool),
    local_parts,
    st.sampled_from(["password", "old_password"]),
)
def test_a_reference_to_a_row_leads_back_to_it(path: str, local: str, column: str):
    address = f"{local}@example.org"
    scheme, rest = parse_reference(row_reference(path, address, column))
    assert scheme == "file"
    assert split_row_reference(rest) == (path, address, column)


@pytest.mark.parametrize("rest", ["secret", "folder/secret#1", "#", "a#b"])
def test_a_reference_to_a_file_is_none_to_a_row(rest: str):
    assert split_row_reference(rest) is None


@given(
    st.dictionaries(
        local_parts, st.text(alphabet="ab\",;' \r\n\u00e4", min_size=1, max_size=8).filter(str.strip), max_size=5
    )
)
def test_every_password_comes_back_as_it_was_written(passwords: dict[str, str]):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["EmailAddress", "Password"])
    writer.writerows([[f"{local}@example.org", password] for local, password in passwords.items()])
    read = {address: secret for address, _, secret in secrets_of(out.getvalue())}
    assert read == {f"{local}@example.org": password for local, password in passwords.items()}
