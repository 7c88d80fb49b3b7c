"""The extra fields of a passwd-file's line that limit the whole account, among those that do not.

A field whose name ends in ``_size`` holds a size (Dovecot 2.4). Any other holds rules, numbered ``NAME``, ``NAME2``,
``NAME3``…: Dovecot 2.3 reads them up to the first number that is missing, and of two for all folders the later counts.
Only our limit is ever written: another rule is not changed, not renumbered, and neither woken up by a new rule before
it nor put to sleep by one that goes.

Source: doc.dovecot.org, 2.3, "Quota Configuration", and 2.4, "quota_storage_size"; tested with Dovecot 2.3.19.
"""

import re
from dataclasses import dataclass

from reconciler.formats.mail_server.passwd_file import Account
from reconciler.formats.mail_server.quota_rule import plain_size, plain_text, size, with_size


@dataclass(frozen=True, slots=True)
class Limit:
    """The one that counts: the field's name, its value, and what that is in bytes, 0 for unlimited."""

    field: str
    text: str
    size: int


def limit(account: Account, name: str) -> Limit | None:
    """The limit of the whole account; None if its line has none.

    Raises:
        ValueError: a field cannot be understood, so nobody can say what counts.

    """
    if _is_size(name):
        text = account.extra_field(name)
        return None if text is None else Limit(name, text, plain_size(text))
    return next(iter(reversed(_limits(_rules(account, name)))), None)


def with_limit(account: Account, name: str, wanted: int | None, stored: str | None = None) -> str:
    """The line with another limit of the whole account, or without one.

    ``stored`` is how the limit was spelt, and is taken if it says nothing but ``wanted``.

    Raises:
        ValueError: a field cannot be understood, or the limit cannot be set without a change of somebody else's rule.

    """
    standing = limit(account, name)
    if _is_size(name):
        text = stored if stored is not None and _says(stored, wanted) else None
        return account.with_extra(name, None if wanted is None else text or plain_text(wanted))
    rules = _rules(account, name)
    if standing is not None:
        if wanted is None:
            _must_be_alone(rules, standing)
        text = with_size(standing.text, wanted)
        if text is None:
            _must_be_last(rules, standing, name)
        elif stored is not None and _differs_in_size_only(stored, standing.text, wanted):
            text = stored
        return account.with_extra(standing.field, text)
    if wanted is None:
        return account.with_extra(name, account.extra_field(name))
    number = next(number for number in range(1, len(rules) + 2) if number not in rules)
    behind = min((other for other in rules if other > number), default=None)
    if behind is not None:
        raise ValueError(
            f"the rules have a gap: {_numbered(name, number)} is missing before {_numbered(name, behind)}, so Dovecot "
            "does not read what comes after it, and a new rule there would change that; number them without a gap"
        )
    fresh = with_size(None, wanted)
    alone = stored is not None and _differs_in_size_only(stored, "*:bytes=0", wanted)
    return account.with_extra(_numbered(name, number), stored if alone else fresh)


def _is_size(name: str) -> bool:
    return name.endswith("_size")


def _says(stored: str, wanted: int | None) -> bool:
    try:
        return plain_size(stored) == wanted
    except ValueError:
        return False


def _differs_in_size_only(stored: str, standing: str, wanted: int | None) -> bool:
    """Whether a spelling means the wanted limit, and all else in it is as it stands."""
    try:
        return size(stored) == wanted and with_size(stored, 0) == with_size(standing, 0) and stored.isprintable()
    except ValueError:
        return False


def _rules(account: Account, name: str) -> dict[int, Limit]:
    """All rules by number, those behind a gap too; ``size`` is -1 where one has no storage limit of all folders.

    Raises:
        ValueError: one cannot be understood.

    """
    pattern = re.compile(re.escape(name) + r"(?P<number>[2-9]|[1-9][0-9]+)?\Z")
    found: dict[int, Limit] = {}
    for field, text in account.extra_fields().items():
        numbered = pattern.match(field)
        if numbered:
            bytes_ = size(text)
            number = int(numbered["number"] or 1)
            found[number] = Limit(field, text, -1 if bytes_ is None else bytes_)
    return dict(sorted(found.items()))


def _limits(rules: dict[int, Limit]) -> list[Limit]:
    """Those that limit the storage of all folders, as far as Dovecot reads.

    Raises:
        ValueError: there is one behind a gap.

    """
    read = next(number for number in range(1, len(rules) + 2) if number not in rules)
    for number, rule in rules.items():
        if number > read and rule.size >= 0:
            raise ValueError(
                f"the rule {rule.field}={rule.text} comes after a number that is missing, so Dovecot does not read it"
            )
    return [rule for rule in rules.values() if rule.size >= 0]


def _must_be_alone(rules: dict[int, Limit], standing: Limit) -> None:
    others = [rule for rule in _limits(rules) if rule.field != standing.field]
    if others:
        raise ValueError(f"there is another limit of the whole account, {others[0].field}={others[0].text}")


def _must_be_last(rules: dict[int, Limit], standing: Limit, name: str) -> None:
    number = next(number for number, rule in rules.items() if rule.field == standing.field)
    behind = [rule for other, rule in rules.items() if other > number]
    if behind:
        raise ValueError(
            f"{standing.field} cannot be taken away, because Dovecot reads rules up to the first number that is "
            f"missing and would ignore {behind[0].field}={behind[0].text}; take it away by hand and number the rules "
            f"behind it from {_numbered(name, number)} on"
        )


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}{number}"
