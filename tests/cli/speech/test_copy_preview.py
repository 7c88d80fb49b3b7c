import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.speech.copy_preview import folders, folders_json
from reconciler.mailcopy.job import State
from reconciler.mailcopy.model.accounting import Refusal
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.preview import Preview
from reconciler.wording.style import Style

anything = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[2J\n\r\x07\x7f\x9b\u202e]"))
KEY = CopyKey("ann@example.org", "old", "new")


def test_a_look_tells_its_notes():
    found = [Preview(KEY, notes=("which folders are subscribed is not known",))]
    assert "note  ann@example.org: which folders are subscribed is not known\n" in folders(found, Style())
    assert json.loads(folders_json(found))["notes"] == ["which folders are subscribed is not known"]


@given(anything)
def test_what_a_server_says_makes_no_line_of_its_own_in_a_look(text):
    found = [Preview(KEY, refusals=(Refusal(text, 0, text),), state=State.FAILED, words=f"said {text}", notes=(text,))]
    plain = [Preview(KEY, refusals=(Refusal("", 0, ""),), state=State.FAILED, words="said", notes=("",))]
    for shown in (folders(found, Style()), folders_json(found)):
        assert all(line.isprintable() for line in shown.split("\n"))
    assert folders(found, Style()).count("\n") == folders(plain, Style()).count("\n")
    assert json.loads(folders_json(found))["words"] == f"said {text}"
