"""Our rule inside a Sieve script: forward a copy and retain the message.

It has the form that Roundcube's filter editor writes, shows and can switch off (rcube_sieve_script of Roundcube
1.6.15). It is known by its name, ``Forward to … and retain``, and by a body that is ours word for word, on or off; only
the address may be another. A rule of that name with any other body is its user's.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.formats.mail_server.sieve_text import Piece, line_after, line_end, pieces, tokens

if TYPE_CHECKING:
    import jinja2

_MARKER: Final = re.compile(r"#[ ]?rule:\[(?P<name>Forward to [^\r\n]+ and retain)\]\s*\Z")
_BEFORE_TARGET: Final = ("{", "redirect", ":copy")
_BEHIND_TARGET: Final = (";", "}")
_TESTS: Final = {("if", "true"): True, ("if", "false", "# true"): False, ("if", "false"): False}  # on or off
_REQUIRE_COPY: Final = 'require ["copy"];'
_REQUIRE: Final = re.compile(r"require\s*(?:\[(?P<list>[^]]*)\]|(?P<one>\"[^\"]*\"))\s*;\Z", re.IGNORECASE)
_REMEMBERED: Final = 2**17  # a plan asks for each script several times; the texts are in memory anyway
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


class Forward(NamedTuple):
    """Our rule as it stands; ``start`` and ``end`` are offsets of its whole lines in the content."""

    name: str
    target: str
    on: bool
    start: int
    end: int


def rule_name(target: str) -> str:
    """The name that people see in the filter editor."""
    return f"Forward to {target.rpartition('@')[2]} and retain"


@lru_cache(maxsize=_REMEMBERED)
def rule(target: str) -> str:
    r"""The rule for a destination, its lines ended by CRLF.

    Raises:
        ValueError: the address would break out of a Sieve string (RFC 5228, section 2.4.2) or of a comment line.

    """
    if not _fits(target):
        msg = f"{target!r} cannot be forwarded to: quotes, blanks and control characters would break the Sieve rule"
        raise ValueError(msg)
    return _template().render(name=rule_name(target), target=target)


@lru_cache(maxsize=_REMEMBERED)
def forwards(content: str) -> tuple[Forward, ...]:
    """Our rules in a script: one as a rule; none in a script that cannot be read."""
    if "rule:[Forward to " not in content:
        return ()
    try:
        cut = pieces(content)
    except ValueError:
        return ()
    found = []
    for comment, command in pairwise(cut):
        marker = _MARKER.match(content[comment.start : comment.end])
        if comment.word or not marker or command.word != "if":
            continue
        ours = _target(tokens(content[command.start : command.end]))
        if ours:
            end = line_after(content, command.end)
            found.append(Forward(marker["name"], *ours, comment.start, end))
    return tuple(found)


def other_rules(content: str) -> int:
    """How many commands a script has beside our rule and what it requires.

    Raises:
        ValueError: it cannot be read.

    """
    return sum(piece.word not in {"", "require"} for piece in pieces(without_forward(content)))


def with_forward(content: str, target: str) -> str:
    """Our rule before all others, or in the place where it stands already.

    Raises:
        ValueError: the script cannot be read, or the address cannot be forwarded to.

    """
    if not content:
        return _REQUIRE_COPY + "\r\n" + rule(target)
    ends = line_end(content)
    text = rule(target).replace("\r\n", ends)
    standing = next(iter(forwards(content)), None)
    if standing:
        return _requiring_copy(content[: standing.start] + text + content[standing.end :])
    position = _first_place(content)
    before = content[:position]
    if before and not before.endswith("\n"):
        before += ends
    return _requiring_copy(before + text + content[position:])


def without_forward(content: str) -> str:
    """The script without our rule; ``copy`` is no longer required where nothing else uses it.

    Raises:
        ValueError: it cannot be read.

    """
    standing = forwards(content)
    for forward in reversed(standing):
        content = content[: forward.start] + content[forward.end :]
    return content if not standing or _uses_copy(content) else _not_requiring_copy(content)


@lru_cache(maxsize=1)
def _template() -> "jinja2.Template":
    import jinja2  # noqa: PLC0415 - slow to load, and most plans make no rule

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reconciler.resources.server", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Sieve, not HTML: the filter below quotes
        keep_trailing_newline=True,
        newline_sequence="\r\n",
    )
    environment.filters["sieve_string"] = _string
    return environment.get_template("forward.sieve.j2")


def _fits(target: str) -> bool:
    return target.isprintable() and not any(character in target for character in '"\\[] ')


def _target(body: tuple[str, ...]) -> tuple[str, bool] | None:
    """The address in a body of ours, and whether it is switched on; None for any other body."""
    test = next((test for test in _TESTS if body[: len(test)] == test and body[len(test) :][:1] == ("{",)), None)
    if test is None:
        return None
    *before, string, semicolon, end = body[len(test) :] if len(body) == len(test) + 6 else ("",) * 3
    target = string[1:-1]
    ours = tuple(before) == _BEFORE_TARGET and (semicolon, end) == _BEHIND_TARGET and string == _string(target)
    return (target, _TESTS[test]) if ours and target and _fits(target) else None


def _string(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _requires(content: str) -> list[Piece]:
    return [piece for piece in pieces(content) if piece.word == "require"]


def _first_place(content: str) -> int:
    """Behind the last ``require``; without one, before the first command and the comments that touch it."""
    cut = pieces(content)
    required = [piece for piece in cut if piece.word == "require"]
    if required:
        end = required[-1].end
        remark = next((p for p in cut if not p.word and p.start >= end and "\n" not in content[end : p.start]), None)
        return line_after(content, remark.end if remark else end)
    first = next((number for number, piece in enumerate(cut) if piece.word), None)
    if first is None:
        return len(content)
    while first and content.count("\n", cut[first - 1].end, cut[first].start) == 1:
        first -= 1
    return cut[first].start


def _requiring_copy(content: str) -> str:
    """With ``copy`` in the first list of a ``require``, or with a ``require`` of its own before the first rule."""
    lists = [(piece, found) for piece in _requires(content) if (found := _REQUIRE.match(_text(content, piece)))]
    if any('"copy"' in found[0] for _, found in lists):
        return content
    for piece, found in lists:
        if found["list"] is not None:
            following = next((s for s in _STRING.finditer(found["list"]) if s[0] > '"copy"'), None)
            at = piece.start + found.start("list")
            if following:
                at += following.start()
                return f'{content[:at]}"copy",{content[at:]}'
            last = max((s.end() for s in _STRING.finditer(found["list"])), default=0)
            return f'{content[: at + last]}{"," if last else ""}"copy"{content[at + last :]}'
    position = _first_place(content)
    return content[:position] + _REQUIRE_COPY + line_end(content) + content[position:]


def _not_requiring_copy(content: str) -> str:
    for piece in _requires(content):
        text = _text(content, piece)
        found = _REQUIRE.match(text)
        if found is None or '"copy"' not in text:
            continue
        if [s[0] for s in _STRING.finditer(text)] == ['"copy"']:
            return content[: piece.start] + content[line_after(content, piece.end) :]
        shorter = re.sub(r'"copy"\s*,\s*|\s*,\s*"copy"', "", text, count=1)
        return content[: piece.start] + shorter + content[piece.end :]
    return content


def _uses_copy(content: str) -> bool:
    return ":copy" in content.lower()


def _text(content: str, piece: Piece) -> str:
    return content[piece.start : piece.end]
