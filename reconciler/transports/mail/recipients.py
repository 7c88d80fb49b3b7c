"""Which of many recipients a mail server takes: asked over few connections, within what servers put up with.

A refusal among other recipients may be about their number (some servers take one recipient of a bounce only), so it
counts only when the recipient was asked alone as well.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from reconciler.model.endpoint import Endpoint
from reconciler.model.outside import Reply
from reconciler.transports.mail.smtp_line import SmtpLine
from reconciler.transports.mail.trouble import Ended

ENOUGH: Final = 25  # refused recipients prove what has to be proven; more only annoy the server
MOST_PUT_OFF: Final = 400  # a server that greylists knows these the next time, and then the next ones are asked
_AT_ONCE: Final = (
    4  # each may be refused twice: below the 10 from which on Postfix answers slowly, smtpd_soft_error_limit
)
_TOGETHER: Final = 50  # in one transaction; a server takes at least 100 (RFC 5321, section 4.5.3.1.8)
_RESETS: Final = 50  # on one connection; Postfix counts them as errors from 100 on, smtpd_junk_command_limit


class Recipients:
    """The recipients that are still to be asked, and the answers. ``trouble``: why the server could not be asked on."""

    def __init__(self, server: Endpoint, recipients: Sequence[str], timeout: float, helo: str | None) -> None:
        """Nobody is asked yet; ``timeout`` in seconds for each answer."""
        self.answers: dict[str, Reply] = {}
        self.trouble = ""
        self._line = server, timeout, helo
        self._left = deque(recipients)
        self._together = _TOGETHER

    @property
    def unasked(self) -> int:
        """How many there is no answer for."""
        return len(self._left)

    def ask(self) -> None:
        """Go on until all are asked, enough are refused, or the server does not talk any more."""
        while self._left and not self._enough() and not self.trouble:
            before = len(self._left)
            try:
                with SmtpLine(*self._line) as line:
                    self._ask_over(line)
            except Ended as why:
                if len(self._left) == before:  # else the connection has done its work, and another one goes on
                    self.trouble = str(why)

    def _ask_over(self, line: SmtpLine) -> None:
        """Until one is refused: what comes after many errors is slow, or a closed connection."""
        in_transaction, troubled = 0, False
        while self._left and not troubled and line.resets < _RESETS:
            if in_transaction >= self._together:
                line.reset()
                in_transaction = 0
            number = min(_AT_ONCE, self._together - in_transaction)
            some = list(islice(self._left, number))
            replies = dict(zip(some, line.ask(some), strict=True))
            in_transaction += number
            for one in [one for one, reply in replies.items() if not reply.taken]:
                replies[one] = line.ask_alone(one)
                in_transaction = 0
                if replies[one].taken:
                    self._together = 1
                else:
                    troubled = True
            self.answers |= replies
            for _ in some:
                self._left.popleft()

    def _enough(self) -> bool:
        refused = sum(reply.refused for reply in self.answers.values())
        put_off = sum(reply.later for reply in self.answers.values())
        return refused >= ENOUGH or put_off >= MOST_PUT_OFF
