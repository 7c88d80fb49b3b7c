import gc
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from reconciler.errors import Problem, SpecError
from reconciler.spec.load import OptionModels, load
from reconciler.spec.spec import Spec
from tests.support.effort import grows_with
from tests.support.examples import examples

HIDDEN = "hunter2"


class FileOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str
    lines: int = 1


class NoOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")


BACKENDS: dict[str, OptionModels] = {
    "server_options": {"memory": NoOptions, "files": FileOptions},
    "dns_options": {"memory": NoOptions},
}


def test_a_sound_spec_is_loaded(loaded):
    spec = loaded(
        "mailboxes: [{address: Ann@Example.org, quota: 5 GiB}]\naliases: {info@example.org: ann@example.org}\n"
    )
    assert spec.mailboxes[0].address == "ann@example.org"
    assert spec.mailboxes[0].quota == 5 * 2**30
    assert spec.aliases == {"info@example.org": ("ann@example.org",)}


@pytest.mark.parametrize(("before", "after"), [("\n", "\r\n"), ("domain", "\ufeffdomain"), ("domain", "---\ndomain")])
def test_line_ends_of_windows_byte_order_marks_and_document_starts_change_nothing(write, before: str, after: str):
    text = "domain: example.org\nold: {backend: m, mx: 10 a.x}\nnew: {backend: m, mx: 10 b.x}\ndns: {backend: m}\n"
    plain = load(write(text))
    assert load(write(text.replace(before, after))) == plain


def test_every_problem_is_reported_with_its_place(problems_of):
    problems = problems_of(
        """\
domain: example.org
stage: overlaap
old: {backend: memory, mx: [mx.old.example]}
new:
  backend: memory
  mx:
    - {preference: ten}
dns:
  backend: memory
mailboxs: []
mailboxes:
  - address: ann
    moved: perhaps
  - bob
hosts:
  mail.example.org: {old: [somewhere], new: [192.0.2.1]}
""",
        whole=True,
    )
    assert [(p.line, p.column, p.message) for p in problems] == [
        (2, 8, "stage: 'overlaap' is not a stage; the stages are prepare, overlap, cutover, harden, decommission"),
        (3, 29, "mx: 'mx.old.example' is not an MX: expected PREFERENCE EXCHANGE, as in '10 mail.example.org'"),
        (7, 7, "the key 'exchange' is missing"),
        (7, 20, "preference: expected a whole number"),
        (10, 1, "unknown key 'mailboxs'; did you mean 'mailboxes'?"),
        (12, 14, "address: 'ann' is not a mail address: expected local-part@domain"),
        (13, 12, "moved: expected true or false or a date such as 2026-12-01"),
        (14, 5, "mailboxes: expected a mapping (key: value)"),
        (16, 28, "old: expected an IPv4 address or an IPv6 address"),
    ]
    assert {Path(p.file).name for p in problems} == {"migration.yaml"}


def test_a_missing_section_and_a_section_without_content_are_named(problems_of):
    problems = problems_of("domain: example.org\nold:\nnew: 3\n", whole=True)
    assert [(p.line, p.column, p.message) for p in problems] == [
        (1, 1, "the key 'dns' is missing"),
        (2, 5, "old: expected a mapping (key: value), found nothing"),
        (3, 6, "new: expected a mapping (key: value)"),
    ]


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "3\n", "---\n"])
def test_a_spec_that_is_no_mapping_is_refused(problems_of, text: str):
    (problem,) = problems_of(text, whole=True)
    assert "expected a mapping (key: value)" in problem.message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("mailboxes: [{address: a@example.org, password: hunter2}]", "5:48"),
        ("mailboxes: [{address: a@example.org, password: [hunter2]}]", "5:48"),
        ("mailboxes: [{address: a@example.org, old_password: hunter2}]", "5:52"),
        ("mailboxes: [{address: a@example.org, old_password: {hunter2: hunter2}}]", "5:52"),
        ("mailboxes: [{address: a@example.org, password:hunter2}]", "5:38"),
        ("mailboxes: [{address: a@example.org, pasword: hunter2}]", "5:38"),
        ("mailboxes: [{address: a@example.org, password: !hunter2 }]", "5:48"),
        ("mailboxes: [{address: a@example.org, password: !hunter2 hunter2}]", "5:48"),
        ("mailboxes: [{address: a@example.org, password: *hunter2}]", "5:48"),
        ("mailboxes: [{address: a@example.org, password: @hunter2}]", "5:48"),
        ("mailboxes: [{address: a@example.org, password: 'hunter2}]", None),
        ('mailboxes: [{address: a@example.org, password: "\\hunter2"}]', None),
        ("mailboxes: [{address: a@example.org, password: 1: hunter2}]", None),
        ("mailboxes:\n- address: a@example.org\n  password: hunter2: x", None),
        ("mailboxes:\n- address: a@example.org\n  password:hunter2", None),
        ("journal: postgresql://me:hunter2@db.example.org/moves", "5:10"),
        ("journal: 'postgresql://db.example.org/moves?password=hunter2&user=me'", "5:10"),
        ("journal: 'postgresql+psycopg://me@db/moves?options=-c%20x&sslpassword=hunter2'", "5:10"),
        ("journal: 'mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Dme%3BPWD%3Dhunter2'", "5:10"),
        ("journal: 'oracle://me:hunter2@db/x'", "5:10"),
        ("journal: 'me:hunter2@db/x'", "5:10"),
    ],
)
def test_a_literal_secret_is_an_error_that_does_not_repeat_it(problems_of, write, text: str, place: str | None):
    problems = problems_of(text)
    assert place is None or {f"{p.line}:{p.column}" for p in problems} == {place}
    assert all(HIDDEN not in p.message for p in problems)
    with pytest.raises(SpecError) as caught:
        load(write("domain: example.org\nold: {backend: m, mx: 10 a.x}\nnew: {}\ndns: {backend: m}\n" + text))
    error: BaseException = caught.value
    assert HIDDEN not in "".join(traceback.format_exception(error))
    while error.__context__:
        error = error.__context__
        assert HIDDEN not in str(error)


def test_a_literal_private_key_is_an_error_that_does_not_repeat_it(problems_of):
    problems = problems_of(
        "domain: example.org\nold: {backend: m, mx: 10 a.x}\ndns: {backend: m}\n"
        "new: {backend: m, mx: 10 b.x, dkim: [{selector: s, key: hunter2}]}\n",
        whole=True,
    )
    assert [(p.line, p.column) for p in problems] == [(4, 57)]
    assert HIDDEN not in problems[0].message


def test_options_are_checked_by_the_backends_own_model(problems_of):
    problems = problems_of(
        """\
domain: example.org
old: {backend: files, mx: 10 a.example.net, options: {pth: x, lines: many}}
new: {backend: files, mx: 10 b.example.net}
dns: {backend: memry}
""",
        whole=True,
        **BACKENDS,
    )
    assert [(p.line, p.column, p.message) for p in problems] == [
        (2, 54, "the key 'path' is missing"),
        (2, 55, "unknown key 'pth'; did you mean 'path'?"),
        (2, 70, "lines: expected a whole number"),
        (3, 6, "the key 'path' is missing"),
        (4, 16, "no backend is called 'memry'; did you mean 'memory'?"),
    ]


def test_an_unknown_backend_that_resembles_none_lists_them_all(problems_of):
    messages = [p.message for p in problems_of("", server_options={"files": FileOptions, "miab": FileOptions})]
    assert messages == ["no backend is called 'memory'; expected one of files, miab"] * 2


def test_options_are_taken_as_they_stand_where_no_backend_is_known(loaded, write):
    text = "domain: a.org\nold: {backend: x, mx: 10 a.x, options: {y: [1, z]}}\nnew: {backend: x, mx: 10 b.x}\n"
    text += "dns: {backend: x}\n"
    assert load(write(text)).old.options == {"y": [1, "z"]}


def test_two_aliases_that_are_one_in_normal_form_are_reported_and_not_merged(only_problem_of):
    message = only_problem_of("aliases:\n  info@example.org: ann@example.net\n  Info@example.org: bob@example.net\n")
    assert message == "7:3: 'Info@example.org' stands twice; first as 'info@example.org' on line 6"


def test_problems_of_meaning_point_to_the_spelling_in_the_file(only_problem_of):
    text = "aliases:\n  INFO@Example.org: [gone@example.org, a@example.net]\n"
    assert only_problem_of(text).startswith(
        "6:22: gone@example.org, a target of the alias info@example.org, is neither"
    )


def test_mailboxes_of_the_csv_follow_those_of_the_yaml(loaded, write):
    write("address,name,moved\nbob@example.org,Bob,2026-12-01\n", "users.csv", 0o644)
    spec = loaded("mailboxes: [{address: ann@example.org}]\nmailboxes_from: users.csv\n")
    assert [m.address for m in spec.mailboxes] == ["ann@example.org", "bob@example.org"]
    assert spec.mailboxes[1].name == "Bob"


def test_a_mailbox_in_yaml_and_csv_is_reported_with_both_places(problems_of, write, tmp_path: Path):
    write("address\nbob@example.org\nAnn@example.org\nbob@example.org\n", "users.csv")
    problems = problems_of("mailboxes:\n  - address: ann@example.org\nmailboxes_from: users.csv\n")
    csv, spec = tmp_path / "users.csv", tmp_path / "migration.yaml"
    assert [(p.file, p.line, p.column) for p in problems] == [(str(csv), 3, 1), (str(csv), 4, 1)]
    assert problems[0].message.endswith(f"(the other: {spec}:6:14)")
    assert problems[1].message.endswith(f"(the other: {csv}:2:1)")


def test_problems_of_the_csv_come_together_with_those_of_the_yaml(problems_of, write, tmp_path: Path):
    write("address\nbob\n", "users.csv")
    problems = problems_of("stage: x\nmailboxes_from: users.csv\n")
    assert [(Path(p.file).name, p.line) for p in problems] == [("migration.yaml", 5), ("users.csv", 2)]


@pytest.mark.parametrize("name", ["nowhere.csv", ".", '"a\\0b"'])
def test_a_csv_that_cannot_be_read_is_reported_where_the_spec_names_it(only_problem_of, name: str):
    message = only_problem_of(f"mailboxes_from: {name}\n")
    assert message.startswith("5:17: ")
    assert "cannot be read" in message


def test_a_spec_that_cannot_be_read_is_reported(tmp_path: Path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(SpecError, match="cannot be read"):
            load(path)


def test_the_garbage_collector_runs_again_afterwards(loaded, write):
    loaded()
    assert gc.isenabled()
    with pytest.raises(SpecError):
        load(write(":"))
    assert gc.isenabled()


def test_the_work_of_loading_grows_with_the_mailboxes_and_aliases_and_not_faster(loaded):
    def load_so_many(number):
        mailboxes = (f"  - {{address: u{i}@example.org, name: User {i}, quota: 5 GiB}}" for i in range(number + 1))
        aliases = (f"  a{i}@example.org: [u{i}@example.org, u{i + 1}@example.org]" for i in range(number))
        spec = loaded("\n".join(["mailboxes:", *mailboxes, "aliases:", *aliases]))
        assert len(spec.mailboxes) == number + 1

    assert grows_with(load_so_many, 200)


def test_the_work_of_finding_problems_grows_with_their_number_and_not_faster(problems_of):
    def find(number):
        aliases = (f"  A{i}@example.org: gone{i}@example.org" for i in range(number))
        assert len(problems_of("\n".join(["aliases:", *aliases]))) == number

    assert grows_with(find, 200)


keys = st.sampled_from([*Spec.model_fields, "address", "password", "backend", "mx", "<<", "x", ""])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "example.org",
            "a@example.org",
            "10 mx.example.org",
            "5 GiB",
            "9" * 400,
            "7d",
            "9" * 30 + "d",
            "keep",
            "~all",
            "s1",
        ]
    )
)
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5))


def never_anything_else(path: Path) -> None:
    problems: tuple[Problem, ...] = ()
    spec: Spec | None = None
    try:
        spec = load(path, **BACKENDS)
    except SpecError as error:
        problems = error.problems
    assert isinstance(spec, Spec) or problems
    assert all(problem.message for problem in problems)


fuzzed = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=examples(300))


@fuzzed
@given(
    st.text(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,? \n\t\r\\0", max_size=60) | st.binary(max_size=60)
)
def test_junk_gives_a_spec_error_and_nothing_else(write, junk: str | bytes):
    never_anything_else(write(junk))


@fuzzed
@given(st.dictionaries(keys, trees, max_size=8))
def test_any_yaml_gives_a_spec_or_a_spec_error(write, tree):
    import yaml  # noqa: PLC0415 - only here are specs written by a machine

    never_anything_else(write(yaml.safe_dump(tree, allow_unicode=True)))


@fuzzed
@given(
    st.sampled_from(
        ["old", "new", "dns", "mailboxes", "aliases", "hosts", "ttl", "waits", "dmarc", "spf", "catch_all"]
    ),
    trees,
)
def test_any_value_in_a_sound_spec_gives_a_spec_or_a_spec_error(write, key: str, tree):
    import yaml  # noqa: PLC0415 - only here are specs written by a machine

    sound = {
        "domain": "example.org",
        "old": {"backend": "memory", "mx": ["10 a.example.net"]},
        "new": {"backend": "memory", "mx": ["10 b.example.net"]},
        "dns": {"backend": "memory"},
    }
    never_anything_else(write(yaml.safe_dump(sound | {key: tree})))


@fuzzed
@given(st.data())
def test_a_spec_cut_short_or_garbled_gives_a_spec_or_a_spec_error(write, data: st.DataObject):
    text = (
        "domain: example.org\nold: {backend: memory, mx: [10 mx.old.example]}\nnew:\n  backend: memory\n  mx: 10 b.c\n"
        "dns: {backend: memory}\nmailboxes:\n  - address: &a ann@example.org\n    moved: 2026-12-01\naliases:\n"
        "  info@example.org: [*a]\n"
    )
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    never_anything_else(write(text[:start] + data.draw(st.text(max_size=3)) + text[end:]))
