import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.wording.json_text import json_text


@given(st.text() | st.sampled_from(["\x7f", "\\\x7f\x1b\u202e\x9b", '"\x7f"']))
def test_a_text_comes_back_as_it_was_and_moves_no_cursor(text):
    written = json_text({text: [text]})
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written) == {text: [text]}
