"""The child process that is measured: one pass over the mailboxes named in its argument (JSON)."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from reconciler.mailcopy.fleet import copy_all
from reconciler.mailcopy.imap.job import Endpoint, MailboxCopy
from reconciler.mailcopy.imap.login import OwnPassword
from reconciler.mailcopy.imap.server import Security, Server
from reconciler.mailcopy.job import Means, State
from reconciler.mailcopy.ledger.sqlite import SqlLedger
from reconciler.mailcopy.model.ledger import CopyKey
from reconciler.mailcopy.model.limits import Limits
from reconciler.model.secret import Secret


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one that stands for the machine's


def end(user: str, port: int) -> Endpoint:
    server = Server("127.0.0.1", port, Security.LOOPBACK, limits=Limits(connections=100))
    return Endpoint(server, OwnPassword(user, lambda: Secret(f"pw-{user}")))


def run(order: dict[str, Any]) -> None:
    ledger = SqlLedger(f"sqlite:///{order['ledger']}", Clock())
    copies = [
        MailboxCopy(CopyKey(user, "old", "new"), end(user, order["source"]), end(user, order["target"]))
        for user in order["users"]
    ]
    reports = list(copy_all(copies, Means(ledger, Clock()), parallel=order["parallel"]))
    ledger.close()
    wrong = [
        f"{r.key.account}: {r.state} {r.words}" for r in reports if r.state is not State.DONE or not r.tally.balanced
    ]
    if wrong:
        raise SystemExit("\n".join(wrong))
    there, new = sum(r.tally.copied for r in reports), sum(r.tally.new for r in reports)
    print(f"{len(reports)} mailboxes, {there} messages there, {new} of them new")


if __name__ == "__main__" and sys.argv[1:]:
    run(json.loads(sys.argv[1]))
