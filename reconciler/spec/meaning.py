"""What no single value of a spec shows: values that contradict one another. Pure; what must be observed is a check."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from reconciler.spec import database_url
from reconciler.spec.spec import Spec
from reconciler.spec.yaml_positions import Loc

_SQLITE_FILE: Final = re.compile(r"sqlite(\+\w+)?:///[^?]*\Z")  # a path may hold any character


class Complaint(NamedTuple):
    """One contradiction: where it stands, what is wrong and what to do, and the place of the other half."""

    loc: Loc
    message: str
    other: Loc | None = None


def complaints(spec: Spec) -> Iterator[Complaint]:
    """All of them, rule by rule."""
    for rule in _RULES:
        yield from rule(spec)


def _one_mailbox_an_address(spec: Spec) -> Iterator[Complaint]:
    first: dict[str, int] = {}
    for index, mailbox in enumerate(spec.mailboxes):
        standing = first.setdefault(mailbox.address, index)
        if standing != index:
            yield Complaint(
                ("mailboxes", index, "address"),
                f"the mailbox {mailbox.address} stands twice: which of the two is right? Remove the other",
                ("mailboxes", standing, "address"),
            )


def _inside_the_domain(spec: Spec) -> Iterator[Complaint]:
    mailboxes = ((("mailboxes", i, "address"), "mailbox", m.address) for i, m in enumerate(spec.mailboxes))
    aliases = ((("aliases", address), "alias", address) for address in spec.aliases)
    for loc, kind, address in (*mailboxes, *aliases):
        if not _inside(spec, address):
            yield Complaint(
                loc, f"the {kind} {address} is not in {spec.domain}: a spec moves one domain, and each has its own file"
            )


def _mail_comes_back(spec: Spec) -> Iterator[Complaint]:
    for index, mailbox in enumerate(spec.mailboxes):
        if mailbox.forward_to and _inside(spec, mailbox.forward_to):
            yield Complaint(
                ("mailboxes", index, "forward_to"),
                f"{mailbox.address} is forwarded to {mailbox.forward_to}, an address of the domain that moves: after "
                "the cutover this mail comes back to the new server and never reaches the old account; name the "
                "account by an address that stays with the old server, such as the one under the provider's own domain",
            )


def _passwords_are_kept_somewhere(spec: Spec) -> Iterator[Complaint]:
    if spec.generated_passwords:
        return
    for index, mailbox in enumerate(spec.mailboxes):
        if mailbox.password == "generate":  # noqa: S105 - the word of the spec, not a password
            yield Complaint(
                ("mailboxes", index, "password"),
                f"a password is to be generated for {mailbox.address}, and nobody would learn it: name the file that "
                "gets it, as in 'generated_passwords: passwords.csv'",
            )
            return


def _aliases_deliver(spec: Spec) -> Iterator[Complaint]:
    mailboxes = {mailbox.address for mailbox in spec.mailboxes}
    for address, targets in spec.aliases.items():
        loc = ("aliases", address)
        if not targets:
            yield Complaint(loc, f"the alias {address} has no target: name one, or remove the alias")
        elif address in mailboxes and address not in targets:
            yield Complaint(
                loc,
                f"{address} is a mailbox and an alias that leaves it out: the mailbox would never get mail; add "
                f"{address} to the alias's targets, or remove one of the two",
            )
        elif address not in mailboxes and set(targets) == {address}:
            yield Complaint(loc, f"the alias {address} delivers only to itself, and no mailbox has this address")
        for index, target in enumerate(targets):
            if _inside(spec, target) and target not in mailboxes and target not in spec.aliases:
                yield Complaint(
                    (*loc, index), f"{target}, a target of the alias {address}, is neither a mailbox nor an alias here"
                )


def _catch_all_delivers(spec: Spec) -> Iterator[Complaint]:
    target = spec.catch_all
    known = target in spec.aliases or any(mailbox.address == target for mailbox in spec.mailboxes)
    if target and _inside(spec, target) and not known:
        yield Complaint(
            ("catch_all",),
            f"the catch-all delivers to {target}, which is neither a mailbox nor an alias here: its mail would come "
            "back to itself",
        )


def _each_exchange_once(spec: Spec) -> Iterator[Complaint]:
    for place, server in (("old", spec.old), ("new", spec.new)):
        for index in _repeated(mx.exchange for mx in server.mx):
            yield Complaint(
                (place, "mx", index),
                f"{server.mx[index].exchange} stands twice in {place}.mx: one preference is enough",
            )


def _something_moves(spec: Spec) -> Iterator[Complaint]:
    names = {mx.exchange for mx in spec.old.mx}
    if names == {mx.exchange for mx in spec.new.mx} and not names & spec.hosts.keys():
        yield Complaint(
            ("new", "mx"),
            f"the old and the new server have the same MX ({', '.join(sorted(names))}), so the cutover would move "
            "nothing; where the host name stays, write its old and new addresses under 'hosts'",
        )


def _hosts_change(spec: Spec) -> Iterator[Complaint]:
    for name, addresses in spec.hosts.items():
        if set(addresses.old) == set(addresses.new):
            yield Complaint(
                ("hosts", name), f"{name} has the same addresses before and after: remove it, or mend 'new'"
            )


def _selectors_differ(spec: Spec) -> Iterator[Complaint]:
    for index in _repeated(key.selector for key in spec.new.dkim):
        yield Complaint(("new", "dkim", index), f"the selector {spec.new.dkim[index].selector} stands twice")
    for index, key in enumerate(spec.new.dkim):
        if key.selector in spec.old.dkim:
            yield Complaint(
                ("new", "dkim", index),
                f"the selector {key.selector} is the old server's as well: one name cannot publish two keys, and mail "
                "signed by one of the servers would fail; give the new server another selector",
                ("old", "dkim", spec.old.dkim.index(key.selector)),
            )


def _test_message_proves_something(spec: Spec) -> Iterator[Complaint]:
    signed = spec.probe.signed if spec.probe else None
    if signed is None:
        return
    loc = ("probe", "signed", "mailbox")
    if not spec.new.dkim:
        yield Complaint(
            ("probe", "signed"),
            "a message is to be signed by the new server, and new.dkim names no key: name the selector that it signs "
            "with, or remove this section",
        )
    own = next((mailbox for mailbox in spec.mailboxes if mailbox.address == signed.mailbox), None)
    if own is None:
        yield Complaint(
            loc, f"{signed.mailbox} is no mailbox of the spec: the new server must have it before anything can be sent"
        )
    elif own.forward_to and own.moved is not True:
        yield Complaint(
            loc,
            f"mail for {signed.mailbox} is forwarded to {own.forward_to}, and so would the test message be: name a "
            "mailbox that forwards nothing, best one of its own for this",
        )


def _journal_url_without_password(spec: Spec) -> Iterator[Complaint]:
    if spec.journal and not _SQLITE_FILE.match(spec.journal) and (wrong := database_url.complaint(spec.journal)):
        yield Complaint(("journal",), wrong)


_RULES: Final[tuple[Callable[[Spec], Iterator[Complaint]], ...]] = (
    _one_mailbox_an_address,
    _inside_the_domain,
    _mail_comes_back,
    _passwords_are_kept_somewhere,
    _aliases_deliver,
    _catch_all_delivers,
    _each_exchange_once,
    _something_moves,
    _hosts_change,
    _selectors_differ,
    _test_message_proves_something,
    _journal_url_without_password,
)


def _inside(spec: Spec, address: str) -> bool:
    return address.endswith(f"@{spec.domain}")


def _repeated(names: Iterable[str]) -> list[int]:
    seen: Counter[str] = Counter()
    again = []
    for index, name in enumerate(names):
        if seen[name]:
            again.append(index)
        seen[name] += 1
    return again
