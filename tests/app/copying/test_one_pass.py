"""How a pass stands to other runs that have, or want, a mailbox of it; with a server that does not answer."""

from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.app.copying.asked import Asked
from reconciler.app.copying.one_pass import Pass
from reconciler.app.copying.orders import jobs_of
from reconciler.app.copying.outcome import Outcome
from reconciler.app.move import Move
from reconciler.mailcopy.job import Means
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from tests.lab.ports import own_port
from tests.support.clock import FakeClock

ANN, BEN = "ann@example.org", "ben@example.org"
SPEC = """\
domain: example.org
old: {{backend: memory, mx: 10 mail.old.example}}
new: {{backend: memory, mx: 10 mail.new.example}}
dns: {{backend: memory}}
copy: {{old: {{host: 127.0.0.1, port: {port}, tls: none}}, new: {{host: 127.0.0.1, port: {port}, tls: none}}}}
mailboxes:
  - {{address: ann@example.org, old_password: "env:PW", password: "env:PW"}}
  - {{address: ben@example.org, old_password: "env:PW", password: "env:PW"}}
"""


class Others:
    """Who else is at the mailboxes: ``held`` by address, and which one is wanted from the so-manieth question on."""

    def __init__(self, held: Mapping[str, str], wants: str = "", after: int = 0) -> None:
        self.held, self.wants, self.left = held, wants, after
        self.mine: list[str] = []

    def take(self, accounts: Collection[str], /) -> Mapping[str, str]:
        self.mine += [account for account in accounts if account not in self.held]
        return {account: self.held[account] for account in accounts if account in self.held}

    def give_back(self, accounts: Collection[str], /) -> None:
        for account in accounts:
            self.mine.remove(account)

    def wanted(self, account: str, /) -> str:
        assert account in self.mine
        if account != self.wants:
            return ""
        self.left -= 1
        return "apply needs the mailbox" if self.left < 0 else ""

    def wish(self, accounts: Collection[str], why: str, /) -> None:
        raise AssertionError("a copy wishes for nothing")


def passed(folder: Path, turns: Others, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    monkeypatch.setenv("PW", "secret")
    path = folder / "migration.yaml"
    path.write_text(SPEC.format(port=own_port()))
    clock = FakeClock()
    move = Move.load(path, clock)
    with closing(jobs_of(move)) as jobs, closing(SqlLedger("sqlite://", clock)) as ledger:
        copies = jobs.of(Asked((ANN,) if turns.wants else ()), clock.now().date(), ledger)
        run = Pass(copies, 2, Means(ledger, clock), lambda: False, lambda _key, _last: None, turns=turns)
        return {outcome.address: outcome for outcome in run.outcomes(verify=True)}


def test_a_mailbox_that_another_run_has_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Others({ANN: "process 7 on far works on it", BEN: "process 8 on far works on it"})
    outcomes = passed(tmp_path, turns, monkeypatch)
    assert [(outcomes[each].state, outcomes[each].words) for each in (ANN, BEN)] == [
        ("held by another run", "process 7 on far works on it"),
        ("held by another run", "process 8 on far works on it"),
    ]
    assert all(outcome.tally.balanced and not outcome.unjudged for outcome in outcomes.values())


@pytest.mark.parametrize("after", range(4))
def test_a_mailbox_that_is_wanted_is_given_back_whatever_is_done_at_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """As it looks, when it is about to wait for a server that does not answer, and while it waits."""
    turns = Others({}, wants=ANN, after=after)
    outcome = passed(tmp_path, turns, monkeypatch)[ANN]
    assert outcome.state == "given back"
    assert outcome.words == "apply needs the mailbox; it is given back, and the next pass goes on"
    assert turns.mine == []
