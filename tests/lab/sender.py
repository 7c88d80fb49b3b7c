"""An outside sender that knows nothing of a move: follows MX through a resolver, queues, and tries again (RFC 5321).

What a mail server of the world does, with intervals of tenths of a second instead of half hours: it asks the resolver
for MX and then for the exchange's address, keeps a message on any 4xx answer or broken connection, and gives it back
on a 5xx answer. It never gives up before it is asked to stop.
"""

import heapq
import smtplib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

import dns.exception
import dns.rdatatype

from tests.lab.loopback import SMTP
from tests.lab.patience import PATIENCE
from tests.lab.unbound import Unbound

NUMBER = "X-Number"
_RETRIES = (0.1, 0.2, 0.5)  # seconds; RFC 5321, section 4.5.4.1, has half an hour


@dataclass
class Letter:
    """One message and what became of it. Times in seconds since the epoch, as delivered mail has them."""

    number: int
    recipient: str
    sender: str
    accepted_by: str | None = None
    """The address of the server that said 250 to it."""
    accepted_at: float = 0.0
    tries: int = 0
    bounced: str | None = None
    """The 5xx answer."""
    unsure: int = 0
    """How often the connection broke after the message was sent, so that it may be there twice (section 4.5.4.2)."""
    troubles: list[str] = field(default_factory=list)
    """Why it was tried again."""

    def message(self) -> EmailMessage:
        message = EmailMessage()
        message["From"] = f"<{self.sender}>"
        message["To"] = f"<{self.recipient}>"
        message["Subject"] = f"Message {self.number}"
        message["Message-ID"] = f"<{self.number}.journey@{self.sender.rpartition('@')[2]}>"
        message[NUMBER] = str(self.number)
        message.set_content(f"This is message {self.number}.\n")
        return message


class Sender:
    """Delivers from ``address`` in a few connections at once, until it is stopped; then its queue is empty."""

    def __init__(
        self, resolver: Unbound, address: str, host: str = "mail.elsewhere.example", connections: int = 4
    ) -> None:
        self._resolver, self._address, self._host = resolver, address, host
        self._queue: list[tuple[float, int, Letter]] = []
        self._changed = threading.Condition()
        self._busy = 0
        self._closing = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def send(self, letter: Letter) -> None:
        self._put(letter, 0)

    @property
    def waiting(self) -> int:
        with self._changed:
            return len(self._queue) + self._busy

    def drain(self, patience: float) -> None:
        """Wait until everything was accepted or given back."""
        deadline = time.monotonic() + patience
        with self._changed:
            while self._queue or self._busy:
                left = deadline - time.monotonic()
                assert left > 0, f"not delivered after {patience} s: {[entry[2] for entry in self._queue[:5]]}"
                self._changed.wait(min(left, 0.5))

    def close(self) -> None:
        """Stop; what is still queued stays undelivered."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _put(self, letter: Letter, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._queue, (time.monotonic() + delay, letter.number, letter))
            self._changed.notify()

    def _work(self) -> None:
        while letter := self._next():
            again = self._deliver(letter)
            if again:
                letter.troubles.append(again)
                self._put(letter, _RETRIES[min(letter.tries, len(_RETRIES)) - 1])
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _next(self) -> Letter | None:
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                if self._queue and self._queue[0][0] <= now:
                    self._busy += 1
                    return heapq.heappop(self._queue)[2]
                self._changed.wait(min(self._queue[0][0] - now, 0.5) if self._queue else 0.5)
        return None

    def _deliver(self, letter: Letter) -> str | None:
        """Try once; why it is to be tried again, if it is."""
        letter.tries += 1
        try:
            addresses = self._addresses(letter.recipient.rpartition("@")[2])
        except (dns.exception.DNSException, OSError, LookupError) as error:
            return f"no exchange found: {error}"
        trouble = "no exchange has an address"
        for address in addresses:
            trouble = self._hand_over(letter, address)
            if not trouble:
                return None
        return trouble

    def _hand_over(self, letter: Letter, address: str) -> str:
        """Empty if the letter is settled, one way or the other."""
        sent = False
        try:
            with smtplib.SMTP(address, SMTP, self._host, PATIENCE, (self._address, 0)) as smtp:
                smtp.ehlo()
                for code, answer in (smtp.mail(letter.sender), smtp.rcpt(letter.recipient)):
                    if code >= 400:
                        return self._answered(letter, address, code, answer)
                sent = True
                return self._answered(letter, address, *smtp.data(letter.message().as_bytes()))
        except smtplib.SMTPResponseException as error:
            return self._answered(letter, address, error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            if letter.accepted_by:
                return ""  # only the farewell was lost
            letter.unsure += sent
            return f"{address}: {error!r}"

    def _answered(self, letter: Letter, address: str, code: int, answer: bytes | str) -> str:
        text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        if code < 300:
            letter.accepted_by, letter.accepted_at = address, time.time()  # noqa: TID251 - as the servers' own clock
            return ""
        if code >= 500:
            letter.bounced = f"{address}: {code} {text}"
            return ""
        return f"{address}: {code} {text}"

    def _addresses(self, domain: str) -> Sequence[str]:
        """Of the exchanges, in the order of preference (section 5.1)."""
        found = sorted(
            (int(rdata.split()[0]), rdata.split()[1]) for rdata in self._resolver.looked_up(f"{domain}.", "MX")
        )
        addresses = [a for _, exchange in found for a in sorted(self._resolver.looked_up(exchange, "A"))]
        if not addresses:
            raise LookupError(domain)
        return addresses
