"""Whatever a server, a zone or a spec says: each format shows it as text on its own line."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.model.plan import Finding
from reconciler.model.stage import Stage
from reconciler.model.verdict import Answer, Fail, Pass, Status, Verdict, Wait, Warn
from reconciler.render import html, markdown, text
from reconciler.render import json as json_format
from reconciler.render.text import Look
from reconciler.wording.printable import printable, printable_with_colour
from reconciler.wording.style import Style
from tests.support.plans import alias, mailbox, plan, step

PARTS = [
    *"\x1b\n\r\x07\x9b\u202e\u2028`|\\<>[]()!#@*_&~ -.:;",
    "@octocat",
    "#12",
    "octo/cat#1",
    "\\|",
    "```",
    "<script>alert(1)</script>",
    "<!-- x -->",
    "-->",
    "![i](http://evil.example/i.png)",
    "http://evil.example",
    "www.evil.example",
    "</td><td>",
    "&lt;",
    "&#64;x",
    "\x1b[31m",
    "\x1b]8;;http://evil\x07",
]
hostile = st.lists(
    st.sampled_from(PARTS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=8
).map("".join)


def said(words):
    """A plan that says it everywhere."""
    box = mailbox("ann", display_name=f"n{words}")
    steps = (
        step(1, Stage.PREPARE, None, box, note=f"type {words}"),
        step(2, Stage.PREPARE, None, alias("info").model_copy(update={"name": f"i{words}", "targets": {f"t{words}"}})),
        *(
            step(3 + n, Stage.PREPARE, None, mailbox(f"u{n}"), Verdict(status, f"why {words}"))
            for n, status in enumerate([Status.WAIT, Status.BY_HAND, Status.BLOCKED])
        ),
    )
    answers: tuple[Answer, ...] = (Fail(words, words), Warn(f"w{words}", words), Wait(None, words), Pass(words))
    return plan(*steps, findings=tuple(Finding(f"c{n}", f"A {words}", Stage.PREPARE, a) for n, a in enumerate(answers)))


@given(hostile)
def test_text_has_as_many_lines_whatever_is_said_and_no_control_character(words):
    shown = text.show(said(words), Look(verbose=True, spec=f"s{words}"))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown.count("\n") == text.show(said("x"), Look(verbose=True, spec="sx")).count("\n") - (not words) * 2


@given(hostile)
def test_with_colour_nobody_elses_escape_is_among_ours(words):
    look = Look(Style(color=True), verbose=True, spec=words)
    shown = text.show(said(words), look)
    assert printable_with_colour(shown) == shown
    assert shown.count("\x1b") == text.show(said("x"), look).count("\x1b")


@given(hostile)
@example("\\|@octocat")
@example("` @octocat")
def test_markdown_has_no_markup_but_ours(words):
    shown = markdown.show(said(words))
    assert all(line.isprintable() for line in shown.split("\n"))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(shown)
    assert [t.content.strip() for t in tokens if t.type == "html_block"] == [markdown.marker("example.org")]
    inline = [child for token in tokens for child in token.children or ()]
    assert {t.type for t in inline} <= {
        "text",
        "code_inline",
        "strong_open",
        "strong_close",
        "em_open",
        "em_close",
        "html_inline",
    }
    assert {t.content for t in inline if t.type == "html_inline"} <= {"<br>"}
    plain = "".join(t.content for t in inline if t.type == "text" and t.content != "#")  # the head of a column
    assert not [sign for sign in ("@", "#", "://", "www.") if sign in plain.lower()]
    assert sum(t.type == "tr_open" for t in tokens) == 6
    assert sum(t.type == "td_open" for t in tokens) == 5 * 5
    assert sum(t.type == "em_open" for t in inline) == 2 if words.strip() else True
    code = [t.content for t in inline if t.type == "code_inline"]
    name = " ".join(printable(f'"n{words}"').split())
    assert name in code or (name.replace("\\|", "\\\\x7c").replace("|", "|")) in code


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.shown = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data):
        self.shown.append(data)

    def handle_comment(self, data):
        pytest.fail(f"a comment: {data}")


def read(page):
    found = Page()
    found.feed(page)
    found.close()
    return found


@given(hostile)
def test_html_has_no_element_but_ours_and_shows_the_words(words):
    page = html.show(said(words))
    assert all(line.isprintable() for line in page.split("\n"))
    found = read(page)
    if words:
        assert found.tags == read(html.show(said("x"))).tags
    assert f'"n{printable(words)}"' in found.shown


@given(hostile)
def test_json_is_ascii_and_exact(words):
    shown = json_format.show(said(words))
    assert shown.isascii()
    assert all(line.isprintable() for line in shown.split("\n"))
    assert json.loads(shown)["steps"][0]["after"]["display_name"] == f"n{words}"
