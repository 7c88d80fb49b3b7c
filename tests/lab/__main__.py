"""``make lab``: one lab to play with, until Ctrl-C."""

import signal
import threading

from tests.lab.dovecot import MASTER
from tests.lab.loopback import SMTP, SUBMISSION
from tests.lab.mail_lab import DOMAIN, PEOPLE, MailLab

_TOLD = """
A mail domain, {domain}, on real servers that are gone when you press Ctrl-C.

  the spec       .venv/bin/reconciler plan {spec}
  old server     {old.host} = {old.address}: SMTP {smtp}, submission {submission}
                 IMAP 127.0.0.1:{old.dovecot.port}, ManageSieve 127.0.0.1:{old.dovecot.sieve_port}
                 {old.root}: users, mail, log, postfix
  new server     {new.host} = {new.address}: SMTP {smtp}, submission {submission}
                 IMAP 127.0.0.1:{new.dovecot.port}, ManageSieve 127.0.0.1:{new.dovecot.sieve_port}
                 {new.root}: users, mail, log, postfix
  the zone       dig @{bind.address} -p {bind.port} {domain} MX   BIND, the primary
                 dig @{nsd.address} -p {nsd.port} {domain} MX   NSD, which follows it
                 dig @{unbound.address} -p {unbound.port} {domain} MX   Unbound, the cache of the world
                 nsupdate -k {key}   and then: server {bind.address} {bind.port}
  a message      /usr/sbin/smtp-source -f me@elsewhere.example -t {person} {old.address}:{smtp}
  the users      USER*{master[0]} with the password {master[1]}; their own are in {passwords}
"""


def main() -> None:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    lab = MailLab()
    try:
        lab.start()
        spec = lab.write_spec(lab.spec())
        key, passwords = lab.folder / "nsupdate.key", lab.folder / "passwords"
        key.write_text(lab.key.clause())
        passwords.write_text("".join(f"{user} {password}\n" for user, password in lab.passwords.items()))
        for file in (key, passwords):
            file.chmod(0o600)
        print(
            _TOLD.format(
                domain=DOMAIN, spec=spec, old=lab.old, new=lab.new, smtp=SMTP, submission=SUBMISSION, bind=lab.bind,
                nsd=lab.nsd, unbound=lab.unbound, key=key, person=PEOPLE[0], master=MASTER,
                passwords=passwords,
            ),
            flush=True,
        )  # fmt: skip
        over.wait()
        print("stopping", flush=True)
    finally:
        lab.remove()


if __name__ == "__main__":
    main()
