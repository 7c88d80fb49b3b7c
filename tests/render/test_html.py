from html.parser import HTMLParser

from reconciler.model.codec import plan_digest
from reconciler.model.plan import Finding
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass
from reconciler.render.html import RENDERER
from tests.support.plans import mailbox, mixed, plan, step

VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Which elements are open, and which were seen."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page):
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_every_element_is_closed_and_every_step_has_its_row():
    page = RENDERER.render(mixed())
    assert read(page).seen.count("tr") == 5 + 3  # the steps, and the place of each stage
    assert plan_digest(mixed()) in page


def test_the_page_loads_nothing_from_elsewhere():
    seen = read(RENDERER.render(mixed())).seen
    assert not {"script", "link", "img", "iframe"} & set(seen)


def test_what_a_server_says_is_escaped():
    hostile = mailbox("eve", display_name="<script>alert(1)</script>")
    finding = Finding("x", "A check", Stage.OVERLAP, Fail("<b>why</b>", "do <i>this</i>"))
    page = RENDERER.render(plan(step(1, Stage.PREPARE, None, hostile), findings=(finding,)))
    assert not {"script", "b", "i"} & set(read(page).seen)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "do &lt;i&gt;this&lt;/i&gt;" in page


def test_checks_that_hold_are_shown_with_what_they_saw():
    finding = Finding("loops", "No forwarding loop", Stage.PREPARE, Pass("3 addresses followed"))
    assert "3 addresses followed" in RENDERER.render(mixed(findings=(finding,)))


def test_a_plan_without_steps_says_what_is_next():
    assert "Nothing to do; the next stage is harden" in RENDERER.render(plan(stage=Stage.CUTOVER))
