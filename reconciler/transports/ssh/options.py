"""How a machine behind SSH is reached: part of the options of every product whose files may lie there."""

from pydantic import Field, field_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Reference


class Ssh(Frozen):
    """A login over SSH with a key. The paths of the product's options are then those of that machine."""

    host: str = Field(min_length=1)
    """Its name or address."""
    port: int = Field(default=22, ge=1, le=65535)
    """Where its sshd listens."""
    user: str | None = None
    """Who logs in; if silent, the user that runs this."""
    key_file: str | None = None
    """The private key; if silent, the keys of the SSH agent, then ~/.ssh/id_rsa, id_ecdsa and id_ed25519."""
    key_passphrase: Reference | None = None
    """Where the passphrase of the private key is."""
    host_key: str | None = Field(default=None, pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?$")
    """The fingerprint of its host key, as `ssh-keygen -lf` prints it; then known_hosts is not read."""
    known_hosts: str | None = None
    """The file of host keys; if silent, ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts."""
    sudo: bool = False
    """Whether everything is done as root, by `sudo -n`: sudo must ask for no password."""
    timeout: float = Field(default=30, gt=0)
    """Seconds that it may be silent while files are read or written, and that a login may take."""
    command_timeout: float = Field(default=600, gt=0)
    """Seconds that a program, such as postmap, may be silent."""

    @field_validator("host", "user")
    @classmethod
    def _plain(cls, value: str | None) -> str | None:
        """``user@host:port`` in one word is a mistake that no resolver would explain."""
        if value and ("@" in value or "/" in value or any(c.isspace() or not c.isprintable() for c in value)):
            msg = f"{value!r} is more than a name: host, port and user are options of their own"
            raise ValueError(msg)
        return value

    @property
    def where(self) -> str:
        """For people."""
        return self.host if self.port == 22 else f"{self.host}:{self.port}"  # noqa: PLR2004 - SSH's own port
