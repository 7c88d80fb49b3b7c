"""What the lab's DNS daemons have in common: a folder, an address and port of their own, a process, questions."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query  # noqa: TID251 - the lab is the outside world
import dns.rcode

from tests.lab.patience import PATIENCE
from tests.lab.ports import own_port

_AGAIN = 5.0  # seconds until a question is asked once more


class DnsDaemon:
    """A daemon of a Debian package that runs in the foreground until it is stopped by its process id."""

    def __init__(self, program: str, package: str, address: str = "127.0.0.1", port: int | None = None) -> None:
        self.program, self.package = program, package
        self.address = address
        self.port = port or own_port(address)
        self.root = Path(tempfile.mkdtemp(prefix=f"{program}-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> str:
        """As the options of the DNS backends take it."""
        return f"{self.address}:{self.port}"

    def run(self, *arguments: str, ask: str) -> None:
        """Start it; it is up when it answers the question for the SOA of ``ask`` with something else than SERVFAIL."""
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._unconfined(), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(dns.exception.DNSException, OSError):
                if self.ask(ask, "SOA", timeout=0.1).rcode() != dns.rcode.SERVFAIL:
                    return
            time.sleep(0.02)
        said = self.log()
        self.remove()
        raise AssertionError(f"{self.program} does not answer for {ask}: {said}")

    def _unconfined(self) -> Path:
        """A copy of the program: AppArmor ties the one in /usr/sbin to /etc and /var by its path."""
        copy = self.root / self.program
        if not copy.exists():
            found = shutil.which(self.program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
            assert found, f"these tests need the package {self.package}: make test installs it"
            shutil.copy(found, copy)
        return copy

    def ask(self, name: str, rdtype: str, *, timeout: float = PATIENCE, recurse: bool = False) -> dns.message.Message:
        """One question over UDP, asked again as resolvers do, over TCP where the answer was truncated."""
        query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
        if not recurse:
            query.flags &= ~dns.flags.RD
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            try:
                return dns.query.udp_with_fallback(query, self.address, min(left, _AGAIN), self.port)[0]  # noqa: TID251
            except dns.exception.Timeout:
                if left <= _AGAIN:
                    raise

    def answers(self, name: str, rdtype: str, *, recurse: bool = False) -> set[str]:
        """The rdata of that name and type as it is served."""
        wanted = [r for r in self.ask(name, rdtype, recurse=recurse).answer if r.name.to_text() == name]
        return {rdata.to_text() for rrset in wanted for rdata in rrset if rrset.rdtype == rdata.rdtype}

    def serial(self, zone: str) -> int:
        """Of the SOA that is served."""
        found: int = next(rdata.serial for rrset in self.ask(zone, "SOA").answer for rdata in rrset)
        return found

    def await_serial(self, zone: str, serial: int) -> None:
        """Until it serves that one."""
        deadline = time.monotonic() + PATIENCE
        while self.serial(zone) != serial:
            assert time.monotonic() < deadline, f"{zone} stays at {self.serial(zone)}: {self.log()}"
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """Send the daemon, and nobody else, a signal."""
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it; ``start`` brings it back with what it knew."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it and forget everything."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self) -> str:
        """What it said so far."""
        file = self.root / "log"
        return file.read_text(errors="replace") if file.exists() else ""
