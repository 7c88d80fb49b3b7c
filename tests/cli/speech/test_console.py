import io
import re

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.speech.console import Console
from reconciler.cli.speech.progress import Bar, View
from reconciler.errors import Problem, ReconcilerError, SpecError
from reconciler.model.run_event import RunBegun, StepFoundDone
from reconciler.model.stage import Stage
from tests.support.clock import FakeClock
from tests.support.plans import mailbox, plan, step

SGR = re.compile(r"\x1b\[(0|1|2|31|32|33|34)m")
anything = st.text(st.characters() | st.sampled_from("\x1b[2J\n\r\x07\x9b\u202e\ud800:]"))


class Keyboard(io.StringIO):
    def isatty(self):
        return True


def console(color=None):
    return Console(io.StringIO(), io.StringIO(), Keyboard("yes\n"), color=color)


def fit(text):
    return all(line.isprintable() for line in text.split("\n"))


@given(anything, st.booleans())
def test_every_way_to_speak_lets_no_control_character_out(text, color):
    it = console(color)
    it.result(f"{text}\n")
    it.say_lines(text)
    before = it.err.getvalue().count("\n")
    it.say(text)
    it.complain(ReconcilerError(text))
    it.complain(SpecError(Problem(text, 1, 1, text), Problem("b", 1, 1, text)))
    assert it.err.getvalue().count("\n") == before + 4
    assert it.confirm(text, instead=text)
    for shown in (it.out.getvalue(), it.err.getvalue()):
        assert fit(SGR.sub("", shown) if color else shown)


def test_a_colour_in_an_error_is_shown_and_not_obeyed():
    it = console(color=True)
    it.complain(ReconcilerError("the server said \x1b[31mno\x1b[0m"))
    assert it.err.getvalue() == "\x1b[31merror:\x1b[0m the server said \\x1b[31mno\\x1b[0m\n"


@given(anything)
def test_the_bar_shows_a_name_as_it_is_and_takes_nothing_for_markup(text):
    err = io.StringIO()
    it = Console(io.StringIO(), err, Keyboard(), color=False)
    bar = Bar(it, FakeClock(), View("spec.yaml"))
    name = f"[red]{text}"
    one = step(1, Stage.PREPARE, None, mailbox("ann").model_copy(update={"name": name}))
    bar.tell(RunBegun(plan(one)))
    bar.tell(StepFoundDone(one))
    bar.close()
    shown = err.getvalue()
    assert "[red]" in shown
    assert fit(shown)
