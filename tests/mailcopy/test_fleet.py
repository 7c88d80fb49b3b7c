from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.mailcopy.fleet import Gates, copy_all
from reconciler.mailcopy.job import Means, Progress, Rules, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.limits import Limits
from reconciler.mailcopy.model.mapping import FolderRules
from reconciler.mailcopy.pace import Pace
from tests.lab.dovecot import Dovecot
from tests.lab.mailbox import RealClock, copying, endpoint, expected, fill
from tests.mailcopy.servers import FLEET
from tests.support.listening import on_progress

pytestmark = pytest.mark.daemon


@pytest.fixture
def users(old: Dovecot) -> tuple[str, ...]:
    for number, name in enumerate(FLEET):
        if not old.maildir(name).exists():
            fill(old, name, number, 15 + number, ((), ("Work",)))
    return FLEET


def test_many_mailboxes_at_once_and_one_that_fails_stops_no_other(
    old: Dovecot, new: Dovecot, users: tuple[str, ...], ledger: SqlLedger
) -> None:
    copies = [copying(endpoint(old, user), endpoint(new, user)) for user in users]
    copies.append(copying(endpoint(old, users[0], password="wrong"), endpoint(new, users[0])))
    copies[-1] = replace(copies[-1], key=copies[-1].key._replace(account="locked out"))
    reports = {report.key.account: report for report in copy_all(copies, Means(ledger, RealClock()), parallel=4)}
    assert reports.pop("locked out").state is State.AUTH_LOST
    assert {report.state for report in reports.values()} == {State.DONE}
    for user in users:
        assert new.seen(user) == expected(old.seen(user))


def test_all_mailboxes_of_a_server_share_its_octets_a_second(
    old: Dovecot, new: Dovecot, users: tuple[str, ...], tmp_path: Path
) -> None:
    ledger = SqlLedger(f"sqlite:///{tmp_path}/pace.db", RealClock())
    time = [0.0]

    def pace(octets_a_second: int | None) -> Pace:
        return Pace(octets_a_second, lambda: time[0], lambda seconds: time.__setitem__(0, time[0] + seconds))

    old_end = endpoint(old, users[0])
    server = replace(old_end.server, limits=Limits(octets_a_second=10_000))
    apart = Rules(FolderRules({"INBOX": "Paced", "Work": "Paced/Work"}))
    copies = [copying(replace(endpoint(old, user), server=server), endpoint(new, user), apart) for user in users]
    gates = Gates([server, copies[0].target.server], pace)
    octets = sum(gates.copy(copy, Means(ledger, RealClock())).tally.octets for copy in copies)
    ledger.close()
    assert octets > 100_000
    assert octets / 10_000 - 1 <= time[0] <= octets / 10_000 + 1


def test_a_server_that_takes_one_connection_gets_one(
    old: Dovecot, new: Dovecot, users: tuple[str, ...], tmp_path: Path
) -> None:
    before = old.log().count("Login: user=")
    ledger = SqlLedger(f"sqlite:///{tmp_path}/one.db", RealClock())
    copies = [copying(endpoint(old, user), endpoint(new, user)) for user in users]
    narrow = [
        replace(c, source=replace(c.source, server=replace(c.source.server, limits=Limits(connections=1))))
        for c in copies
    ]
    running: set[str] = set()
    most: list[int] = []

    def tell(progress: Progress) -> None:
        account = progress.account
        if progress.state in {State.LOOKING, State.COPYING}:
            running.add(account)
        else:
            running.discard(account)
        most.append(len(running))

    reports = list(copy_all(narrow, Means(ledger, RealClock(), events=on_progress(tell)), parallel=6))
    assert {report.state for report in reports} == {State.DONE}
    assert max(most) == 1
    assert old.log().count("Login: user=") - before == len(users)
    ledger.close()
