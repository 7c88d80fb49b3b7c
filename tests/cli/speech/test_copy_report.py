import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console as Rich

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.outcome import MailboxThrough, Outcome
from reconciler.cli.speech.copy_report import Logs, summary, write_report
from reconciler.cli.speech.copy_table import Screen
from reconciler.cli.speech.copy_words import in_one_line
from reconciler.mailcopy.job import Progress, State
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.model.grade import Difference, Grade, Kind
from reconciler.wording.style import Style
from tests.support.clock import MONDAY_MORNING, FakeClock

anything = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[2J\n\r\x07\x9b\u202e]"))


def outcome(text):
    return Outcome(
        f"ann{text}@example.org".replace("/", "").replace("\0", ""),
        State.AUTH_LOST.value,
        f"the server said {text}",
        Tally(count=2, refused=2),
        (FolderAccount(f"F{text}", text, Tally(count=1)), FolderAccount("G", "", Tally(count=1), rule=f"rule {text}")),
        (Refusal(text, 7, text),),
        MONDAY_MORNING,
        MONDAY_MORNING,
        Grade.POOR,
        (Difference(text, Kind.MISSING, 1, "", text), Difference(text, Kind.MISSING, 1, f"e{text}", text)),
        f"unjudged {text}",
    )


@given(anything)
def test_what_a_mail_server_says_makes_no_line_of_its_own_in_a_summary(text):
    plain = summary([outcome("x")], Style(), "left")
    for shown, lines in (
        (summary([outcome(text)], Style(), f"left{text}"), plain.count("\n")),
        (in_one_line(outcome(text)), 0),
    ):
        assert all(line.isprintable() for line in shown.split("\n"))
        assert shown.count("\n") == lines


@given(anything)
def test_the_live_table_takes_no_folder_for_markup(text):
    clock = FakeClock()
    screen = Screen(clock, PassBegun(1, Forecast(clock)))
    screen.tell(Progress("bob@example.org", State.COPYING, f"[red]{text}"))
    screen.tell(MailboxThrough(outcome(text), 1, 1))
    shown = io.StringIO()
    Rich(file=shown, width=500).print(screen.table(30, 500))
    assert all(line.isprintable() for line in shown.getvalue().split("\n"))
    assert "[red]" in shown.getvalue()


@given(anything)
def test_logs_and_reports_hold_what_was_said_as_escapes(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("logs")
    logs = Logs(folder)
    logs.tell(MailboxThrough(outcome(text), 1, 1))
    (log,) = folder.iterdir()
    lines = log.read_text().split("\n")
    assert len(lines) == 8
    assert all(line.isprintable() for line in lines)
    write_report(folder / "report.csv", [outcome(text)], MONDAY_MORNING)
    rows = list(csv.reader((folder / "report.csv").read_text().split("\n")))
    assert all(cell.isprintable() for row in rows for cell in row)
    write_report(folder / "report.json", [outcome(text)], MONDAY_MORNING)
    written = (folder / "report.json").read_text()
    assert written.isascii()
    assert json.loads(written)["outcomes"][0]["words"] == f"the server said {text}"
