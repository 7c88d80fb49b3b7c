"""The other programs, with the options that their documentation recommends for a move."""

import subprocess
from pathlib import Path

from tests.lab.dovecot import Dovecot

_MBSYNC = """
IMAPStore far
Host 127.0.0.1
Port {source}
User {user}
Pass pw-{user}
SSLType None
AuthMechs LOGIN

IMAPStore near
Host 127.0.0.1
Port {target}
User {user}
Pass pw-{user}
SSLType None
AuthMechs LOGIN

Channel move
Far :far:
Near :near:
Patterns *
Create Near
Sync PullNew PullFlags
CopyArrivalDate yes
SyncState {state}/
"""


def mbsync(place: Path, user: str, source: int, target: int) -> list[str]:
    """isync, from port to port; its state lies in ``place``."""
    state = place / f"mbsync-{user}"
    state.mkdir(parents=True, exist_ok=True)
    rc = place / f"mbsyncrc-{user}-{source}-{target}"
    rc.write_text(_MBSYNC.format(user=user, source=source, target=target, state=state))
    return ["mbsync", "-c", str(rc), "move"]


def doveadm_imapc(new: Dovecot, user: str, source: int) -> list[str]:
    """Dovecot's dsync on the new server, reading the old one over IMAP and writing its own files."""
    options = {
        "mail_prefetch_count": "20",
        "imapc_host": "127.0.0.1",
        "imapc_port": str(source),
        "imapc_user": user,
        "imapc_password": f"pw-{user}",
        "imapc_features": "rfc822.size fetch-headers",
    }
    given = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    return ["doveadm", "-c", str(new.config), *given, "backup", "-R", "-u", user, "imapc:"]


def doveadm_tcp(old: Dovecot, new: Dovecot, user: str) -> list[str]:
    """Dovecot's dsync from server to server in its own protocol."""
    return ["doveadm", "-c", str(old.config), "backup", "-u", user, f"tcp:127.0.0.1:{new.doveadm_port}"]


def version(*argv: str) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0].strip()
