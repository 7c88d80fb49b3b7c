"""Mail without pause: from outside to every address, and between the people of both servers."""

import random
import smtplib
import threading
import time
from collections.abc import Callable

from tests.lab.mail_lab import ALIASES, CATCH_ALL, DOMAIN, PEOPLE, MailLab
from tests.lab.patience import PATIENCE
from tests.lab.sender import Letter

_TO = (*PEOPLE, *ALIASES, f"whoever@{DOMAIN}")
_MOST_WAITING = 60  # letters: what a server that is down may hold up before the traffic pauses
_EVERY = 5  # of so many letters, one is from somebody inside


class Traffic:
    """Goes on until it is stopped, ``pace`` letters a second; ``on_new`` are those who write on the new server only."""

    def __init__(self, lab: MailLab, pace: float) -> None:
        self._lab, self._pace = lab, pace
        self.sender = lab.sender()
        self.letters: list[Letter] = []
        self.on_new: set[str] = set()
        self.new_is_open = False
        """Whether those who have not moved try the new server now and then."""
        self._chance = random.Random(7)
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._numbers = threading.Lock()
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._outside, self._inside)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, number: int, patience: float) -> None:
        """Until so many letters were begun."""
        deadline = time.monotonic() + patience
        while len(self.letters) < number:
            if self._failed:
                raise AssertionError("the traffic has broken off") from self._failed
            assert time.monotonic() < deadline, f"only {len(self.letters)} letters were sent, not {number}"
            time.sleep(0.05)

    def stop(self, patience: float = PATIENCE) -> None:
        """No new letters; those that wait are still delivered."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise AssertionError("the traffic has broken off") from self._failed
        self.sender.drain(patience)

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.sender.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            while not self._stopping.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test waits
            self._failed = error

    def _outside(self) -> None:
        with self._numbers:
            number = len(self.letters)
            letter = Letter(number, _TO[number % len(_TO)], f"writer{number % 9}@elsewhere.example")
            self.letters.append(letter)
        self.sender.send(letter)
        self._stopping.wait(1 / self._pace)
        while self.sender.waiting > _MOST_WAITING and not self._stopping.is_set():
            time.sleep(0.05)

    def _inside(self) -> None:
        """Somebody writes to a colleague, an alias or nobody, on the server that he or she uses."""
        author = self._chance.choice(PEOPLE)
        new = author in self.on_new or (self.new_is_open and self._chance.random() < 0.3)
        server = self._lab.new if new else self._lab.old
        with self._numbers:
            letter = Letter(len(self.letters), self._chance.choice(_TO), author)
            self.letters.append(letter)
        while letter.accepted_by is None:
            letter.tries += 1
            try:
                server.submit(author, self._lab.passwords[author], letter.message())
            except (OSError, smtplib.SMTPServerDisconnected) as error:  # as a mail program does: again, a moment later
                letter.troubles.append(repr(error))
                letter.unsure += isinstance(error, smtplib.SMTPServerDisconnected)
                assert not self._stopping.wait(0.2), f"nobody takes {letter}"
            else:
                letter.accepted_by, letter.accepted_at = server.address, time.time()  # noqa: TID251 - the servers' clock
        self._stopping.wait(_EVERY / self._pace)


assert CATCH_ALL in PEOPLE
