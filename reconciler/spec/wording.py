"""What pydantic found wrong, said in the words of a spec. No message repeats an input, which may be a secret."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from reconciler.spec.mail_files import IMAP, MAILDIR, MBOX
from reconciler.spec.yaml_positions import Loc

_NOUNS: Final = {
    "bool": "true or false",
    "date": "a date such as 2026-12-01",
    "datetime": "a date and time such as 2026-12-01T06:00:00Z",
    "dict": "a mapping (key: value)",
    "float": "a number",
    "int": "a whole number",
    "ip_v4": "an IPv4 address",
    "ip_v6": "an IPv6 address",
    "ip_v4_network": "an IPv4 network",
    "ip_v6_network": "an IPv6 network",
    "list": "a list",
    "mapping": "a mapping (key: value)",
    "model": "a mapping (key: value)",
    "path": "a path",
    "set": "a list",
    "string": "text",
    "time": "a time such as 06:00",
    "tuple": "a list",
    "url": "a URL",
}
_LIMITS: Final = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} in this list",
    "too_long": "at most {max_length} in this list",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
_FIRST_WORD: Final = re.compile(r"[^\W:][^:\s\x00-\x20\x7f]{0,39}")
_CHOICE: Final = re.compile(r"\^\(([\w|-]+)\)\$")


class Fault(NamedTuple):
    """One thing wrong: where, and what. ``on_key``: the key itself is wrong, not what it holds."""

    loc: Loc
    message: str
    on_key: bool


def faults(errors: Iterable[ErrorDetails], model: type[BaseModel]) -> Iterator[Fault]:
    """One fault for each value that is wrong; the branches of a union become one."""
    groups: dict[tuple[Loc, str], list[ErrorDetails]] = {}
    for error in errors:
        loc = tuple(step for step in error["loc"] if not _is_branch(step, error))
        own = str(error["loc"]) if error["type"] in {"missing", "extra_forbidden"} else ""
        groups.setdefault((loc, own), []).append(error)
    locs = [loc for loc, _ in groups]
    for (loc, _), group in groups.items():
        if group[0]["type"] == "too_short" and any(other[: len(loc)] == loc != other for other in locs):
            continue  # its entries are there, but wrong, and have been reported
        key = next((str(step) for step in reversed(loc) if isinstance(step, str) and step != "[key]"), "")
        match group[0]["type"]:
            case "missing":
                yield Fault(loc[:-1], f"the key '{key}' is missing", on_key=False)
            case "extra_forbidden":
                yield Fault(loc, unknown_key(key, keys_at(model, loc[:-1])), on_key=True)
            case _:
                yield Fault(loc, f"{key}: {_said(group)}" if key and loc[-1] != "[key]" else _said(group), on_key=False)


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The message for a key that nothing knows; of ``password:hunter2``, a key by mistake, only the first word."""
    known = tuple(known)
    word, colon, _ = key.partition(":")
    if colon and word in known:
        return f"a space is missing after '{word}:'"
    first_word = _FIRST_WORD.match(key)
    shown = first_word[0] if first_word else ""
    return f"unknown key {suggestion(shown if shown == key else f'{shown}…', known)}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """The word, quoted, with what was probably meant, or else all that is known."""
    known = tuple(known)
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.55)
    if close:
        return f"'{word}'; did you mean '{close[0]}'?"
    return f"'{word}'" + (f"; expected one of {', '.join(known)}" if known else "")


def keys_at(model: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """The keys that a mapping at this place may have."""
    models = [model]
    for step in loc:
        fields = [f for m in models for name, f in m.model_fields.items() if step == (f.alias or name)]
        if fields:
            models = [inner for field in fields for inner in _models_in(field.annotation)]
    return tuple(dict.fromkeys(f.alias or name for m in models for name, f in m.model_fields.items()))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _is_branch(step: int | str, error: ErrorDetails) -> bool:
    """Whether a step names no key but a branch of a union: ``bool``, ``function-after[…]``, or a tag as ``<imap>``."""
    if step in {IMAP, MAILDIR, MBOX}:
        return True
    if step == "date" and not error["type"].startswith("date"):
        return False  # the key of that name
    return (
        isinstance(step, str)
        and step == error["loc"][-1]
        and error["type"] not in {"missing", "extra_forbidden"}
        and (step in _BRANCHES or ("[" in step and step != "[key]"))
    )


_BRANCHES: Final = frozenset({"bool", "date", "datetime", "float", "int", "str", "none", "timedelta", "path"})


def _said(group: list[ErrorDetails]) -> str:
    """Every branch's expectation in one sentence; a validator's own sentence stands as it is."""
    sentences, expected = [], []
    for error in group:
        context: Mapping[str, Any] = error.get("ctx", {})
        if error["type"] in {"value_error", "assertion_error"}:
            sentences.append(str(context.get("error", "this value is not allowed")))
        else:
            expected.append(_expectation(error["type"], context) or error["msg"].lower())
    if expected:
        sentences.insert(0, f"expected {' or '.join(dict.fromkeys(expected))}")
    return "; ".join(dict.fromkeys(sentences))


def _expectation(kind: str, context: Mapping[str, Any]) -> str | None:
    if kind in _LIMITS:
        return _LIMITS[kind].format_map(context)
    if kind == "string_pattern_mismatch":
        choice = _CHOICE.fullmatch(context["pattern"])
        return f"one of {choice[1].replace('|', ', ')}" if choice else f"text of the pattern {context['pattern']}"
    words = kind.split("_")
    return next((_NOUNS["_".join(words[:n])] for n in range(len(words), 0, -1) if "_".join(words[:n]) in _NOUNS), None)
