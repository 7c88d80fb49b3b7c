import json

from reconciler.extend import Renderer
from reconciler.model.codec import decode_plan
from reconciler.model.rrset import RRset
from reconciler.plugins import discover
from reconciler.render.json import RENDERER
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from tests.support.plans import mixed

TYPES = {kind.kind: kind for kind in (Mailbox, Alias, RRset)}


def test_what_is_shown_can_be_read_back():
    assert decode_plan(json.loads(RENDERER.render(mixed())), TYPES) == mixed()


def test_it_is_indented_for_people_and_ends_its_last_line():
    shown = RENDERER.render(mixed())
    assert shown.startswith('{\n  "format_version"')
    assert shown.endswith("}\n")


def test_every_format_is_found_by_its_name():
    found = discover("reconciler.render", Renderer)
    assert {name: renderer.suffix for name, renderer in found.items()} == {
        "html": ".html",
        "json": ".json",
        "markdown": ".md",
        "text": ".txt",
    }
