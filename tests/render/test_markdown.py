from reconciler.model.codec import plan_digest
from reconciler.model.plan import Finding
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from reconciler.render.markdown import MOST, RENDERER, marker
from tests.support.plans import mailbox, mixed, plan, step

LONG = plan(*(step(n, Stage.PREPARE, None, mailbox(f"user{n}")) for n in range(1, 3001)), stage=Stage.PREPARE)


def test_the_first_line_is_a_marker_that_depends_on_the_domain_alone():
    assert RENDERER.render(mixed()).splitlines()[0] == "<!-- reconciler plan example.org -->"
    assert RENDERER.render(LONG).splitlines()[0] == marker("example.org")


def test_each_stage_has_its_table():
    shown = RENDERER.render(mixed()).splitlines()
    assert [line for line in shown if line.startswith("#### ")] == ["#### prepare", "#### overlap", "#### cutover"]
    assert "| 3 | `~` | DNS: `MX example.org` | `TTL 86400 -> 300` | now |" in shown
    assert (
        "| 2 | `+` | new server: `alias info@example.org` | `to ann@example.org` | by hand on a server in memory<br>"
        "`add alias info@example.org with targets ann@example.org` |" in shown
    )


def test_the_digest_of_the_plan_stands_in_it():
    assert plan_digest(mixed()) in RENDERER.render(mixed())


def test_a_plan_that_fits_is_not_called_cut():
    assert "cut." not in RENDERER.render(mixed())


def test_a_long_plan_is_cut_between_two_rows_and_says_that_it_must_not_be_approved():
    shown = RENDERER.render(LONG)
    assert MOST - 200 < len(shown) <= MOST
    assert "A plan that is cut must not be approved" in shown
    assert "3,000 steps in all" in shown
    assert plan_digest(LONG) in shown
    rows = [line for line in shown.splitlines() if line.startswith("| ") and "mailbox" in line]
    assert all(row.endswith(" | now |") for row in rows)
    assert 100 < len(rows) < 3000


def test_what_fails_stands_before_the_tables_so_that_no_cut_hides_it():
    finding = Finding("dkim", "Selectors do not collide", Stage.OVERLAP, Fail("s1 is taken", "choose another"))
    shown = RENDERER.render(plan(*LONG.steps, findings=(finding,)))
    assert shown.index("**fails**") < shown.index("#### prepare")


def test_checks_that_hold_are_left_out():
    finding = Finding("loops", "No forwarding loop", Stage.PREPARE, Pass("3 addresses followed"))
    assert "No forwarding loop" not in RENDERER.render(mixed(findings=(finding,)))


def test_what_a_server_says_cannot_become_markup():
    hostile = mailbox("eve", display_name="``` | <img src=x> [a](b)")
    why = "<script>alert(1)</script> | `x` @everyone"
    finding = Finding("x", "A check", Stage.OVERLAP, Fail(why, ""))
    shown = RENDERER.render(plan(step(1, Stage.PREPARE, None, hostile), findings=(finding,)))
    row = next(line for line in shown.splitlines() if "eve@example.org" in line)
    assert '| ````"``` \\| <img src=x> [a](b)"```` |' in row
    assert "\\<script\\>" in shown
    assert " `@everyone`" in shown
