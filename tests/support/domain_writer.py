"""One process that makes and takes away the accounts of one domain: ``python -m tests.support.domain_writer``.

Arguments: the folder of ``users`` and ``virtual``, the domain, how many rounds, and the options of SSH as JSON or "".
"""

import json
import sys
from pathlib import Path

from reconciler.extend import Context
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.products.postfix_dovecot.server import BACKEND, Options
from reconciler.resources.server.alias import Alias
from reconciler.resources.server.mailbox import Mailbox
from reconciler.resources.server.quota import Quota
from tests.support.clock import FakeClock
from tests.support.server_files import HASH, KnownSecrets

NEW = Place.NEW


def main(folder: Path, domain: str, rounds: int, ssh: str) -> None:
    """Each round leaves one mailbox with its quota and alias, and has made and removed another."""
    secrets = KnownSecrets()
    secrets.known["env:HASH"] = HASH
    options = Options.model_validate(
        {
            "passwd_file": f"{folder}/users",
            "virtual_alias_maps": f"texthash:{folder}/virtual",
            **({"ssh": json.loads(ssh)} if ssh else {}),
        }
    )
    opened = BACKEND.open(options, Context(NEW, domain, folder, secrets, FakeClock()))
    for number in range(rounds):
        names = stays, goes = f"stays{number}@{domain}", f"goes{number}@{domain}"
        boxes = [Mailbox(place=NEW, name=name, password="env:HASH") for name in names]
        opened.stores["mailbox"].write([Change(None, box) for box in boxes])
        opened.stores["quota"].write([Change(None, Quota(place=NEW, name=name, size=1 << 30)) for name in names])
        alias = Alias(place=NEW, name=f"alias{number}@{domain}", targets=frozenset({stays}))
        opened.stores["alias"].write([Change(None, alias)])
        for kind in "quota", "mailbox":
            standing = next(iter(opened.stores[kind].read({goes})))
            opened.stores[kind].write([Change(standing, None)])
    opened.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
