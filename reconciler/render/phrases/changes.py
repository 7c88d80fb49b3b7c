"""What a change does, in one line of domain words; the sign and the name of the thing stand beside it."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from reconciler.model.change import Change
from reconciler.model.resource import Resource
from reconciler.model.rrset import RRset
from reconciler.render.phrases.records import key_ending, record_words
from reconciler.resources.mail.returned import ReturnedMail
from reconciler.resources.mail.stored import StoredMail
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.catch_all import CatchAll
from reconciler.resources.server.dkim_key import DkimKey
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from reconciler.resources.server.sieve import SieveScript
from reconciler.wording.differences import differences, first_of, in_words
from reconciler.wording.printable import printable

_UNITS: Final = ("TiB", "GiB", "MiB", "KiB")
_NEVER_SHOWN: Final = frozenset({"place", "name", "stored"})  # beside the words; or how a file spells what they say


def words(change: Change) -> str:
    """The parts joined by commas; nothing where the sign and the name say it all. Never with control characters."""
    tell = _KINDS.get(type(change.subject), _fields)
    line = ", ".join(part for part in tell(change.before, change.after) if part)
    return printable(line)


def _mailbox(before: Mailbox | None, after: Mailbox | None) -> Iterator[str]:
    if after is None:
        return
    if before is None:
        yield f'"{after.display_name}"' if after.display_name else ""
    elif before.display_name != after.display_name:
        yield f'name "{before.display_name}" -> "{after.display_name}"'
    if after.password and (before is None or before.password != after.password):
        yield f"password: {_password(after.password)}"


def _password(source: str) -> str:
    scheme, _, _ = source.partition(":")
    return {"keep": "the old server's hash", "generate": "generated"}.get(scheme) or f"from {source}"


def _quota(before: Quota | None, after: Quota | None) -> Iterator[str]:
    yield " -> ".join(_size(each.size) for each in (before, after) if each)


def _size(size: int) -> str:
    """The largest unit that leaves no rest."""
    for power, unit in zip(range(len(_UNITS), 0, -1), _UNITS, strict=True):
        number, rest = divmod(size, 1024**power)
        if number and not rest:
            return f"{number} {unit}"
    return f"{size} bytes" if size else "unlimited"


def _targets(before: Alias | CatchAll | None, after: Alias | CatchAll | None) -> Iterator[str]:
    if before is None or after is None:
        only = after or before
        assert only is not None
        yield f"to {first_of(sorted(only.targets))}" if only.targets else "only sends"
        return
    yield first_of(f"+{target}" for target in sorted(after.targets - before.targets))
    yield first_of(f"-{target}" for target in sorted(before.targets - after.targets))


_USES: Final = {"file": "a file that nothing names", "table": "named, not in use", "signing": "signs"}


def _dkim_key(before: DkimKey | None, after: DkimKey | None) -> Iterator[str]:
    key = after or before
    assert key is not None
    if key.public:
        yield f"key {key_ending(key.public)}"
    elif key.source:
        yield "generated" if key.source == "generate" else f"from {key.source}"
    if key.bits and not key.public:
        yield f"{key.bits} bits"
    if before and after and before.use != after.use:
        yield f"{_USES[before.use]} -> {_USES[after.use]}"
    elif key.use != "signing":
        yield _USES[key.use]


def _sieve(before: SieveScript | None, after: SieveScript | None) -> Iterator[str]:
    old, new = before and before.forwards_to, after and after.forwards_to
    script = after or before
    assert script is not None
    if old and new and old != new:
        yield f"forward to {old} -> {new} and retain"
    elif old != new:
        yield f"+forward to {new} and retain" if new else f"-forward to {old} and retain"
    elif before and after and before.rule and not after.rule:
        yield f"-forward to {before.rule.target} and retain (switched off)"
    yield f"in script {script.script}"
    if before and after:
        if before.active != after.active:
            yield "made active" if after.active else "made inactive"
        if after.other_rules:
            yield f"{after.other_rules} other {'rule' if after.other_rules == 1 else 'rules'} kept"


def _stored_mail(before: StoredMail | None, after: StoredMail | None) -> Iterator[str]:
    if after and after.quiet:
        yield "one more pass, to see that nothing comes to the old server any more"
    elif after and after.complete:
        yield (
            "copy what is new, then compare both sides"
            if before
            else "copy from the old server, then compare both sides"
        )
    elif after:
        yield "first copy from the old server"


def _returned_mail(_before: ReturnedMail | None, _after: ReturnedMail | None) -> Iterator[str]:
    yield "copy back what came to the new server since the cutover"


def _fields(before: Resource | None, after: Resource | None) -> Iterator[str]:
    """A kind without words of its own: field by field."""
    old, new = (each.model_dump(exclude=set(_NEVER_SHOWN)) if each else {} for each in (before, after))
    if before is None or after is None:
        yield from (f"{name} {in_words(value)}" for name, value in (old or new).items() if value)
        return
    yield from differences(old, new)


_KINDS: Final[dict[type[Resource], Callable[[Any, Any], Iterator[str]]]] = {
    RRset: record_words,
    Mailbox: _mailbox,
    Quota: _quota,
    Alias: _targets,
    CatchAll: _targets,
    DkimKey: _dkim_key,
    SieveScript: _sieve,
    StoredMail: _stored_mail,
    ReturnedMail: _returned_mail,
}
