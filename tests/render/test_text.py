from datetime import timedelta, timezone

from reconciler.model.plan import Finding, Intent
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Status, Verdict, Wait, Warn
from reconciler.render.text import RENDERER, Look, show
from reconciler.wording.style import Style
from tests.support.effort import grows_with
from tests.support.plans import MX_LONG, MX_SHORT, TOMORROW, WAIT, alias, mailbox, mixed, plan, step

BERLIN_IN_WINTER = timezone(timedelta(hours=1))
FINDINGS = (
    Finding("loops", "No forwarding loop", Stage.PREPARE, Pass("3 addresses followed")),
    Finding("spf", "SPF keeps its limits", Stage.OVERLAP, Warn("9 look-ups of 10", "flatten an include")),
    Finding("ttl", "The TTL has run out", Stage.CUTOVER, Wait(TOMORROW, "caches may hold the MX")),
    Finding("dkim", "Selectors do not collide", Stage.OVERLAP, Fail("s1 is taken", "choose another")),
)


def test_a_plan_is_grouped_by_stage_and_place_with_one_line_a_step():
    assert show(mixed()) == (
        "example.org: plan to cutover  as read at 2026-03-02 08:00 UTC\n"
        "\n"
        "prepare\n"
        "  new server\n"
        '    1 + mailbox ann@example.org  "Ann", password: the old server\'s hash\n'
        "    2 + alias info@example.org   to ann@example.org  [by hand on a server in memory]\n"
        "        add alias info@example.org with targets ann@example.org\n"
        "\n"
        "overlap\n"
        "  DNS\n"
        "    3 ~ MX example.org                 TTL 86400 -> 300\n"
        "    4 + TXT s2._domainkey.example.org  DKIM key known after apply, TTL 300  [blocked: the selector is taken]\n"
        "\n"
        "cutover\n"
        "  DNS\n"
        "    5 ~ MX example.org  10 mx.old.example -> 10 mx.new.example"
        "  [waits until 2026-03-03 08:00 UTC: caches may hold the old MX]\n"
        "\n"
        "2 to run now, 1 waits until 2026-03-03 08:00 UTC, 1 by hand, 1 blocked. Next: reconciler apply\n"
    )


def test_the_renderer_shows_the_same_without_options():
    assert RENDERER.render(mixed()) == show(mixed(), Look())


def test_a_time_is_also_told_by_the_readers_clock():
    shown = show(mixed(), Look(local=lambda at: at.astimezone(BERLIN_IN_WINTER)))
    assert "waits until 2026-03-03 08:00 UTC (09:00 local):" in shown


def test_a_local_time_on_another_day_has_its_date():
    shown = show(mixed(), Look(local=lambda at: at.astimezone(timezone(timedelta(hours=-9)))))
    assert "waits until 2026-03-03 08:00 UTC (2026-03-02 23:00 local):" in shown


def test_checks_that_hold_are_shown_only_when_asked_for():
    assert "No forwarding loop" not in show(mixed(findings=FINDINGS))
    assert "  holds  prepare: No forwarding loop: 3 addresses followed" in show(
        mixed(findings=FINDINGS), Look(verbose=True)
    )


def test_what_fails_comes_before_what_warns_and_what_waits():
    shown = show(mixed(findings=FINDINGS)).splitlines()
    start = shown.index("checks")
    assert shown[start + 1 : start + 6] == [
        "  fails  overlap: Selectors do not collide: s1 is taken",
        "         do: choose another",
        "  warns  overlap: SPF keeps its limits: 9 look-ups of 10",
        "         do: flatten an include",
        "  waits  cutover: The TTL has run out: until 2026-03-03 08:00 UTC: caches may hold the MX",
    ]


def test_a_wait_without_a_known_time_says_so():
    finding = Finding("ttl", "The TTL has run out", Stage.CUTOVER, Wait(None, "no name server was seen"))
    assert "until a time known after apply: no name server was seen" in show(mixed(findings=(finding,)))


def test_the_last_line_names_the_command_with_the_spec_as_it_was_named():
    assert show(mixed(), Look(spec="moves/a.yaml")).endswith("Next: reconciler apply moves/a.yaml\n")


def test_where_all_waits_the_next_thing_is_to_come_back():
    shown = show(plan(step(1, Stage.CUTOVER, MX_LONG, MX_SHORT, WAIT)))
    assert shown.endswith(
        "0 to run now, 1 waits until 2026-03-03 08:00 UTC, 0 blocked. Next: apply again after 2026-03-03 08:00 UTC\n"
    )


def test_where_something_is_blocked_the_next_thing_is_a_person():
    blocked = Verdict(Status.BLOCKED, "two SPF records")
    assert show(plan(step(1, Stage.OVERLAP, MX_LONG, MX_SHORT, blocked))).endswith(
        "Next: resolve what fails above, then plan again\n"
    )


def test_what_holds_several_steps_back_is_told_once():
    steps = [step(number, Stage.CUTOVER, MX_LONG, MX_SHORT, WAIT) for number in (1, 2)]
    blocked = Verdict(Status.BLOCKED, "two SPF records")
    steps += [step(number, Stage.CUTOVER, MX_LONG, MX_SHORT, blocked) for number in (3, 4)]
    held = [line.partition("[")[2] for line in show(plan(*steps)).splitlines() if "[" in line]
    assert held == [
        "waits until 2026-03-03 08:00 UTC: caches may hold the old MX]",
        "waits until 2026-03-03 08:00 UTC: as step 1]",
        "blocked: two SPF records]",
        "blocked: as step 3]",
    ]


def test_an_empty_plan_names_the_next_stage():
    assert show(plan(stage=Stage.PREPARE)).endswith("\nNothing to do; the next stage is overlap\n")
    assert show(plan(stage=Stage.DECOMMISSION)).endswith("\nNothing to do: the move is complete\n")


def test_an_empty_rollback_says_that_all_stands_as_before():
    shown = show(plan(intent=Intent.ROLLBACK, stage=Stage.PREPARE))
    assert shown.startswith("example.org: rollback to prepare")
    assert shown.endswith("Nothing to do: everything stands as it stood before\n")


def test_the_number_of_things_that_are_not_touched_is_told():
    assert "\n1,234 things that were read are not touched\n" in show(mixed(), Look(untouched=1234))


def test_colour_is_there_only_when_asked_for():
    assert "\x1b" not in show(mixed(findings=FINDINGS), Look(verbose=True))
    colored = show(mixed(findings=FINDINGS), Look(style=Style(color=True)))
    assert "\x1b[32m+\x1b[0m" in colored
    assert "\x1b[31mfails\x1b[0m" in colored


def test_colour_changes_no_letter():
    plain, colored = show(mixed(findings=FINDINGS)), show(mixed(findings=FINDINGS), Look(style=Style(color=True)))
    for code in ("0", "1", "2", "31", "32", "33", "34"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored == plain


def test_removals_have_their_sign():
    assert "1 - alias info@example.org  to ann@example.org" in show(
        plan(step(1, Stage.HARDEN, alias("info", "ann@example.org"), None))
    )


def test_the_work_of_showing_grows_with_the_number_of_steps_and_not_faster():
    plans = {
        n: plan(*(step(i, Stage.PREPARE, None, mailbox(f"user{i}")) for i in range(1, n + 1))) for n in (200, 1000)
    }
    assert grows_with(lambda number: show(plans[number]), 200)
