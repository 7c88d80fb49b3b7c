import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console as Rich

from reconciler.app.copying.before import PassBegun
from reconciler.app.copying.forecast import Forecast
from reconciler.app.copying.outcome import MailboxThrough, Note, Outcome, notes_of
from reconciler.cli.copy_codes import of_copied
from reconciler.cli.exit_codes import Code
from reconciler.cli.speech.copy_report import Logs, summary, write_report
from reconciler.cli.speech.copy_table import Screen
from reconciler.cli.speech.copy_words import in_one_line
from reconciler.mailcopy.job import MailboxReport, Progress, State
from reconciler.mailcopy.model.accounting import FolderAccount, Refusal, Tally
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.model.grade import Difference, Grade, Kind
from reconciler.wording.style import Style
from tests.support.clock import MONDAY_MORNING, FakeClock

anything = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[2J\n\r\x07\x7f\x9b\u202e]"), max_size=50
)


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
        (Note("", f"note {text}"), Note(text, f"note {text}")),
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
    assert len(lines) == 10
    assert all(line.isprintable() for line in lines)
    write_report(folder / "report.csv", [outcome(text)], MONDAY_MORNING)
    rows = list(csv.reader((folder / "report.csv").read_text().split("\n")))
    assert all(cell.isprintable() for row in rows for cell in row)
    write_report(folder / "report.json", [outcome(text)], MONDAY_MORNING)
    written = (folder / "report.json").read_text()
    assert all(line.isascii() and line.isprintable() for line in written.split("\n"))
    told = json.loads(written)["outcomes"][0]
    assert told["words"] == f"the server said {text}"
    assert told["notes"][1] == {"folder": text, "words": f"note {text}"}


def test_notes_are_told_and_are_no_trouble():
    notes = (Note("", "no subscriptions are known"), *(Note("Work", f"note {number}") for number in range(11)))
    done = Outcome("ann@example.org", State.DONE.value, tally=Tally(count=1, copied=1), notes=notes)
    told = summary([done], Style())
    assert "note  ann@example.org: no subscriptions are known\n" in told
    assert "note  ann@example.org: Work: note 8\n" in told
    assert "and 2 more of ann@example.org: --report lists all of them\n" in told
    assert of_copied([done]) is Code.DONE


def test_notes_of_both_rounds_of_a_pass_are_kept_once():
    account = FolderAccount("Work", "Work", Tally(), notes=("2 messages have no date",))
    key = CopyKey("ann@example.org", "old", "new")
    report = MailboxReport(key, State.DONE, MONDAY_MORNING, MONDAY_MORNING, (account,), notes=("no subscriptions",))
    assert notes_of(report) == (("", "no subscriptions"), ("Work", "2 messages have no date"))
    again = Outcome.of(report, noted=[Note("Work", "2 messages have no date"), Note("Sent", "first")])
    assert again.notes == (("Work", "2 messages have no date"), ("Sent", "first"), ("", "no subscriptions"))
