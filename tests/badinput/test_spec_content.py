"""Specs that are wrong: each problem with line and column, at once, and nothing is contacted."""

import re

import pytest

from tests.badinput.conftest import JOURNAL, edit, everything, goes_on, nothing_changes

BOB = "  - {address: bob@example.org, name: Bob Example, quota: 1 GiB}\n"


@pytest.mark.parametrize(
    ("text", "instead", "says"),
    [
        ("dmarc: {p", "dmrac: {p", ":38:1: unknown key 'dmrac'; did you mean 'dmarc'?"),
        ("stage: prepare", "stage: prepair", ":4:8: stage: 'prepair' is not a stage; the stages are prepare, overlap"),
        (BOB, "  - {address: ANN@example.org}\n" + BOB, ":45:15: the mailbox ann@example.org stands twice: which of"),
        ("name: Ann Example", "name: A, password: hunter2", ":44:51: password: a password is keep, generate or a ref"),
        ("Ann Example", "Ann\0Example", ":44:41: a control character stands here: remove it"),
        ("  backend: zonefile", "\tbackend: zonefile", ":34:1: a tab stands here: YAML indents with spaces only"),
        ("quota: 5 GiB", "quota: [5 GiB", ":44:"),
        ("{address: ann@", "{address: ann@@", ":44:15: address: "),
        ("backend: zonefile", "backend: zonfile", ":34:12: no backend is called 'zonfile'; did you mean 'zonefile'?"),
        (BOB, "", ":48:27: bob@example.org, a target of the alias postmaster@example.org, is neither a mailbox nor an"),
        (
            "address: ann@example.org",
            "address: änn@example.org",
            ":44:15: address: 'änn@example.org' has a local part ",
        ),
        ("  info@", "  büro@", ":48:3: 'büro@example.org' has a local part outside ASCII: .* use an ASCII address"),
        ("domain: example.org", "domain: exa mple.org", ":3:9: "),
        ("domain: example.org", "domain: &a example.org\nx: *b", "an alias"),
    ],
)
def test_the_problem_is_told_with_line_and_column_and_nothing_is_touched(run, world, spec, text, instead, says):
    edit(spec, (text, instead))
    with nothing_changes(world):
        for command, *options in (("plan",), ("apply", "--yes"), ("validate",)):
            result = run(command, spec, *options)
            assert result.code == 1
            assert re.search(r"migration\.yaml:\d+:\d+: ", result.said), result.said
            assert re.search(re.escape(says) if ".*" not in says else says, result.said), result.said
            assert "hunter2" not in result.said
    edit(spec, (instead, text)) if instead else None
    assert run("plan", spec).code == (2 if instead else 1)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "migration.yaml: is empty: expected a spec, which begins with 'domain: example.org'"),
        (b"# later\n", "migration.yaml: is empty"),
        (b"- a\n- b\n", "migration.yaml:1:1: expected a mapping (key: value)"),
        (b"domain: J\xf6rg\n", "migration.yaml:1:10: is not UTF-8 from here on: save the file as UTF-8"),
        ("domain: x\n".encode("utf-16"), "migration.yaml: is UTF-16: save it as UTF-8"),
        (b"domain: a\n---\ndomain: b\n", "migration.yaml:2:1: a second document begins here"),
        (b"[" * 100_000, "nested deeper than 64 levels: no spec is"),
        (b"x: &a [*a]\n", "migration.yaml:1:"),
    ],
)
def test_what_is_no_spec_at_all_is_said_to_be_none(run, world, spec, octets, says):
    spec.write_bytes(octets)
    with nothing_changes(world):
        for command in ("plan", "apply", "status"):
            result = run(command, spec)
            assert (result.code, result.out) == (1, "")
            assert says in result.err


def test_aliases_that_multiply_cost_neither_time_nor_memory(run, world, spec):
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    spec.write_text("\n".join([spec.read_text(), *bomb]))
    with nothing_changes(world):
        result = run("plan", spec)
        assert result.code == 1
        assert "unknown key 'a29'" in result.err
        assert len(result.err) < 20_000


def test_a_spec_of_a_hundred_thousand_lines_is_read_and_its_one_error_found(run, world, spec):
    people = "".join(f"  - address: u{n}@example.org\n    name: User {n}\n" for n in range(50_000))
    edit(spec, (BOB, BOB + people + "  - adress: last@example.org\n"))
    with nothing_changes(world):
        result = run("plan", spec)
        assert result.code == 1
        assert "migration.yaml:100046:5: unknown key 'adress'; did you mean 'address'?" in result.err
        assert result.err.count("\n") == 2  # and the address that is missing


def test_a_mailbox_that_stands_twice_in_spec_and_list_is_told_with_both_places(run, world, spec):
    (world / "people.csv").write_text(
        "EmailAddress,UserName\neve@example.org,Eve\nAnn@example.org,Ann\neve@example.org,E\n"
    )
    edit(spec, ("dmarc:", "mailboxes_from: people.csv\ndmarc:"))
    with nothing_changes(world):
        result = run("plan", spec)
        assert result.code == 1
        people = world / "people.csv"
        assert f"{people}:3:1: the mailbox ann@example.org stands twice" in result.err
        assert f"(the other: {spec}:45:15)" in result.err
        assert f"{people}:4:1: the mailbox eve@example.org stands twice" in result.err
        assert f"(the other: {people}:2:1)" in result.err


def test_a_mailbox_taken_out_of_the_spec_is_not_ours_any_more_and_stays(run, world, spec):
    goes_on(run, spec)
    assert "9 things that were read are not touched" in run("plan", spec).out
    edit(
        spec,
        (BOB, ""),
        ("  postmaster@example.org: bob@example.org\n", ""),
        ("  abuse@example.org: postmaster@example.org\n", ""),
    )
    with nothing_changes(world, JOURNAL):
        planned = run("plan", spec)
        assert planned.code == 0
        assert "13 things that were read are not touched" in planned.out  # bob, his quota and two aliases more
        assert run("apply", spec, "--yes").code == 0
    edit(spec, ("confirm:\n", "decommission: {empty_old: true}\nconfirm:\n  decommission: true\n"))
    removed = re.findall(r"^ *\d+ - (.*?)  ", run("plan", spec, "--stage", "decommission").out, re.MULTILINE)
    assert removed == ["TXT old2019._domainkey.example.org", "alias info@example.org", "mailbox ann@example.org"]
    assert b"bob@example.org" in (world / "new" / "users").read_bytes()


def test_an_internationalised_domain_is_kept_in_ascii_form_everywhere(run, world, spec):
    for name in ("old/users", "old/virtual", "example.org.zone"):
        path = world / name
        path.write_bytes(path.read_bytes().replace(b"example.org", b"xn--bcher-kva.example"))
    text = spec.read_text().replace("example.org", "bücher.example")
    spec.write_text(text.replace("file: bücher.example.zone", "file: example.org.zone").replace("prepare ", "overlap "))
    goes_on(run, spec)
    users = (world / "new" / "users").read_text()
    assert "ann@xn--bcher-kva.example:{SHA512-CRYPT}" in users
    assert "ü" not in users
    assert "new2026._domainkey" in (world / "example.org.zone").read_text()
    assert not any("ü" in name for name in everything(world))
