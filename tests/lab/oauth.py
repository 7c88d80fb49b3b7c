"""A Dovecot on loopback that takes access tokens: it asks the provider of them whose each one is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.fakes.token_server import TokenServer
from tests.lab.dovecot import Dovecot

_RULES = """
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = %s
}
"""
_PROVIDER = """
introspection_mode = post
introspection_url = %s
username_attribute = username
active_attribute = active
active_value = true
"""


@contextmanager
def oauth_dovecot(provider: TokenServer, *users: str) -> Iterator[Dovecot]:
    """Running, with these accounts."""
    with NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(_PROVIDER % provider.introspection)
        settings.flush()
        Path(settings.name).chmod(0o644)  # Dovecot's own user reads it
        server = Dovecot("oauth", mechanisms="xoauth2", extra=_RULES % settings.name)
        for user in users:
            server.add_user(user)
        try:
            yield server.start()
        finally:
            server.remove()
