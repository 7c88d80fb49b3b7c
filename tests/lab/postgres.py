"""A private PostgreSQL, reached by a Unix socket in its own folder; nothing of /etc/postgresql is used."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from tests.lab.patience import PATIENCE

_AS = "nobody"  # PostgreSQL refuses to run as root
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


class Postgres:
    """One server with one empty database; it is gone at the end, with all that is in it."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As a spec names it under journal:."""
        return f"postgresql+psycopg://tester@/postgres?host={self.root}"

    def start(self) -> "Postgres":
        """Make the database where there is none yet; the server is up when it takes a connection."""
        data = self.root / "data"
        if os.geteuid() == 0:
            os.chown(self.root, pwd.getpwnam(_AS).pw_uid, pwd.getpwnam(_AS).pw_gid)
        with (self.root / "log").open("ab") as log:
            if not data.exists():
                made = [_program("initdb"), "-D", str(data), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8"]
                subprocess.run([*_as_somebody(), *made, "--locale=C"], check=True, stdout=log, stderr=log, cwd="/")
            options = [part for option in ("listen_addresses=", *_FAST) for part in ("-c", option)]
            self._process = subprocess.Popen(
                [*_as_somebody(), _program("postgres"), "-D", str(data), "-k", str(self.root), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OperationalError):
                self.run("SELECT 1")
                return self
            time.sleep(0.02)
        said = (self.root / "log").read_text(errors="replace")
        self.remove()
        raise AssertionError(f"PostgreSQL takes no connection: {said}")

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """The rows of the last statement, all in one transaction."""
        engine = create_engine(self.url, poolclass=NullPool)
        rows: list[tuple[object, ...]] = []
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
                rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    def empty(self) -> None:
        """No table is left."""
        self.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def stop(self) -> None:
        """End it as a restart of the machine would: whoever is connected is cut off."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it and forget everything."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def _program(name: str) -> str:
    """Debian keeps them out of the PATH, in a folder for each major version."""
    folders = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    found = shutil.which(name, path=":".join(folders))
    assert found, "these tests need the package postgresql: make test installs it"
    return str(Path(found).resolve())


def _as_somebody() -> list[str]:
    """Not as root, and ended when the process that started it is."""
    words = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() != 0:
        return [*words, "--"]
    return [*words, f"--reuid={_AS}", f"--regid={pwd.getpwnam(_AS).pw_gid}", "--clear-groups", "--"]
