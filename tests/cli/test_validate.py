import json

from tests.support.files_world import write_spec


def test_a_sound_spec_is_called_sound(run, spec):
    shown = run("validate", spec)
    assert (shown.code, shown.out, shown.err) == (0, f"{spec}: sound\n", "")


def test_all_problems_are_told_at_once_with_file_line_and_column(run, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("domain: example.org\nstage: cutlery\nmialboxes: []\n")
    shown = run("validate", path)
    assert shown.code == 1
    lines = shown.out.splitlines()
    assert any(line.startswith(f"{path}:2:8: ") and "cutlery" in line for line in lines)
    assert any(line.startswith(f"{path}:3:1: ") and "mailboxes" in line for line in lines)
    assert shown.err == f"error: {len(lines)} problems\n"


def test_a_spec_that_is_not_there_is_a_problem_of_its_own(run, tmp_path):
    shown = run("validate", tmp_path / "none.yaml")
    assert shown.code == 1
    assert str(tmp_path / "none.yaml") in shown.out


def test_one_bad_spec_among_good_ones_is_told(run, spec, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("domain: [\n")
    shown = run("validate", spec, bad)
    assert shown.code == 1
    assert f"{spec}: sound\n" in shown.out
    assert f"{bad}:" in shown.out


def test_json_has_the_problems_of_every_spec(run, spec, tmp_path):
    bad = tmp_path / "bad.yaml"
    write_spec(bad, stage="cutlery")
    shown = run("validate", "--json", spec, bad)
    data = json.loads(shown.out)
    assert data["sound"] is False
    assert [each["spec"] for each in data["specs"]] == [str(spec), str(bad)]
    assert data["specs"][0]["problems"] == []
    [problem] = data["specs"][1]["problems"]
    assert problem["file"] == str(bad)
    assert problem["line"] == 2
    assert "cutlery" in problem["message"]


def test_nothing_is_contacted(run, spec, tmp_path):
    write_spec(spec, dns={"backend": "zonefile", "options": {"file": "not/there.zone"}})
    before = sorted(tmp_path.rglob("*"))
    assert run("validate", spec).code == 0
    assert sorted(tmp_path.rglob("*")) == before
