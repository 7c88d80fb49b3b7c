"""What a fake Mail-in-a-Box knows: users, aliases, sessions and one-time codes, and the rules that it has for them."""

import re
import secrets
from dataclasses import dataclass, field

from reconciler.model.name import mail_address
from reconciler.model.secret import Secret
from reconciler.ports import Clock
from reconciler.products.mailinabox import totp as miab_totp
from tests.fakes.mailinabox_zones import Domains, Zones

RESERVED = {"admin", "administrator", "postmaster", "hostmaster", "webmaster", "abuse"}
UNUSABLE = (".test", ".invalid", ".local")
LOCAL = re.compile(r"[a-z0-9._-]+\Z")
ADDRESS = re.compile(r"[^@\s]*@[^@\s.]+(\.[^@\s.]+)+\Z")


class Refused(Exception):  # noqa: N818
    """400, with a sentence."""


class Broken(Exception):  # noqa: N818
    """An exception that nobody caught: 500, with a page for browsers."""


@dataclass
class User:
    password: str
    privileges: list[str] = field(default_factory=list)
    quota: str = "0"
    totp: str | None = None
    last_code: str = ""
    has_folder: bool = False


@dataclass
class State:
    """``dovecot`` is up or down; down, what writes users breaks off half done."""

    clock: Clock
    primary: str = "box.example.net"
    address: str = "192.0.2.10"
    users: dict[str, User] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    aliases: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    automatic: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    system_key: str = field(default_factory=lambda: secrets.token_hex(16))
    dovecot: bool = True
    web: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.zones = Zones(self.primary, self.address)
        self.users[f"admin@{self.primary}"] = User("AdminPass-123", ["admin"])
        self.aliases[f"administrator@{self.primary}"] = (f"admin@{self.primary}", None)
        self.kick("")

    @property
    def domains(self) -> Domains:
        users = {u.partition("@")[2] for u in self.users}
        return Domains(users | {a.partition("@")[2] for a in self.aliases}, users)

    def kick(self, said: str) -> str:
        """Mend the automatic aliases, the zones and the web after a change of users or aliases."""
        admin = f"administrator@{self.primary}"
        real = {u.partition("@")[2] for u in self.users} | {
            a.partition("@")[2] for a in self.aliases if not a.startswith("@")
        }
        names = {f"hostmaster@{self.primary}"} | {f"{n}@{d}" for d in real for n in ("postmaster", "admin", "abuse")}
        self.automatic = dict.fromkeys(sorted(names), admin)
        said += self.write_zones()
        web = frozenset(self.domains.mail)
        said += "web updated\n" if web != self.web else ""
        self.web = web
        return said

    def write_zones(self, *, force: bool = False) -> str:
        try:
            return self.zones.write(self.domains, force=force)
        except RuntimeError as error:
            raise Broken from error

    # Users

    def add_user(self, form: dict[str, str]) -> str:
        email, password = form.get("email", "").strip(), form.get("password", "")
        quota = form.get("quota", "0")
        if not email:
            raise Refused("No email address provided.")
        if not ADDRESS.match(email) or email.startswith("@"):
            raise Refused("Invalid email address.")
        if not LOCAL.match(email.partition("@")[0]) or not email.isascii():
            raise Refused(
                "User account email addresses may only use the lowercase ASCII letters a-z, the digits 0-9, "
                "underscore (_), hyphen (-), and period (.)."
            )
        if email.endswith(UNUSABLE):
            raise Refused("Invalid email address.")
        if email.partition("@")[0] in RESERVED:
            raise Refused(
                "You may not make a user account for that address because it is frequently used for domain control "
                "validation. Use an alias instead if necessary."
            )
        check_password(password)
        quota = checked_quota(quota)
        if email in self.users:
            raise Refused("User already exists.")
        self.users[email] = User(password, [p for p in form.get("privileges", "").split("\n") if p], quota)
        self.left.discard(email)
        self._tell_dovecot()
        self.users[email].has_folder = True
        return self.kick("mail user added\n")

    def remove_user(self, form: dict[str, str]) -> str:
        email = self._user(form)
        if self.users.pop(email).has_folder:
            self.left.add(email)
        self.forget(email)
        return self.kick("mail user removed\n")

    def set_password(self, form: dict[str, str]) -> str:
        check_password(form.get("password", ""))
        email = self._user(form)
        self.users[email].password = form["password"]
        self.forget(email)
        return "OK"

    def set_quota(self, form: dict[str, str]) -> str:
        if "quota" not in form:
            raise Broken
        quota = checked_quota(form["quota"])
        self.users[self._user(form)].quota = quota
        self._tell_dovecot()
        return "OK"

    def privilege(self, form: dict[str, str], *, add: bool) -> str:
        name = form.get("privilege", "")
        if not name.strip():
            raise Refused(f"That's not a valid privilege ({name}).")
        held = self.users[self._user(form)].privileges
        if add and name not in held:
            held.append(name)
        if not add and name in held:
            held.remove(name)
        return "OK"

    def _user(self, form: dict[str, str]) -> str:
        email = form.get("email", "")
        if email not in self.users:
            raise Refused(f"That's not a user ({email}).")
        return email

    def _tell_dovecot(self) -> None:
        if not self.dovecot:
            raise Broken

    # Aliases

    def add_alias(self, form: dict[str, str]) -> str:
        address = form.get("address", "").strip().lower()
        if not address:
            raise Refused("No email address provided.")
        if not ADDRESS.match(address):
            raise Refused(f"Invalid email address ({address}).")
        local, _, domain = address.partition("@")
        address = f"{local}@{mail_address(f'x@{domain}').partition('@')[2]}"
        targets = [t.strip() for t in re.split(r"[,\n]", form.get("forwards_to", "")) if t.strip()]
        for target in targets:
            if not ADDRESS.match(target):
                raise Refused(f"Invalid receiver email address ({target}).")
            if local.partition("+")[0] in RESERVED and not self._may_read_reserved(target):
                raise Refused(
                    "This alias can only have administrators of this system as destinations because the address is "
                    "frequently used for domain control validation."
                )
        senders = [s.strip() for s in re.split(r"[,\n]", form.get("permitted_senders", "")) if s.strip()]
        for sender in senders:
            if sender not in self.users:
                raise Refused(f"Invalid permitted sender: {sender} is not a user on this system.")
        if not targets and not senders:
            raise Refused("The alias must either forward to an address or have a permitted sender.")
        known = address in self.aliases
        if known and form.get("update_if_exists") != "1":
            raise Refused(f"Alias already exists ({address}).")
        self.aliases[address] = (",".join(targets), ",".join(senders) or None)
        return self.kick("alias updated\n" if known else "alias added\n")

    def remove_alias(self, form: dict[str, str]) -> str:
        address = form.get("address", "")
        if self.aliases.pop(address, None) is None:
            raise Refused(f"That's not an alias ({address}).")
        return self.kick("alias removed\n")

    def _may_read_reserved(self, target: str) -> bool:
        user = self.users.get(target)
        return target.partition("@")[0] in RESERVED or bool(user and "admin" in user.privileges)

    def alias_rows(self) -> dict[str, tuple[str, str | None, bool]]:
        """As the list shows them: of an address with two rows, the one whose targets sort last."""
        rows = [(a, t, s, False) for a, (t, s) in self.aliases.items()]
        rows += [(a, t, None, True) for a, t in self.automatic.items()]
        return {a: (t, s, auto) for a, t, s, auto in sorted(rows, key=lambda row: row[:2])}

    # Logins

    def forget(self, email: str) -> None:
        self.sessions = {key: who for key, who in self.sessions.items() if who != email}

    def restart(self) -> None:
        """As after a restart of the management daemon: what was only in its memory is gone."""
        self.sessions.clear()
        self.system_key = secrets.token_hex(16)

    def authenticate(self, user: str, password: str, code: str | None, *, at_login: bool) -> str:
        """The e-mail address of whoever it is.

        Raises:
            Refused: nobody.

        """
        if not at_login and user == self.system_key:
            return ""
        if not user.isascii() or not password.isascii():
            raise Refused("'ascii' codec can't decode byte 0xc3 in position 23: ordinal not in range(128)")
        if not password:
            raise Refused("Enter a password.")
        if not at_login and self.sessions.get(password) == user:
            return user
        known = self.users.get(user)
        if known is None or known.password != password:
            raise Refused("Incorrect email address or password.")
        if known.totp:
            if not code:
                raise Refused("missing-totp-token")
            if code == known.last_code or code != miab_totp.code(Secret(known.totp), self.clock.now()):
                raise Refused("invalid-totp-token")
            known.last_code = code
        return user

    def log_in(self, email: str) -> str:
        key = secrets.token_hex(32)
        self.sessions[key] = email
        return key


def check_password(password: str) -> None:
    if not password.strip():
        raise Refused("No password provided.")
    if len(password) < 8:
        raise Refused("Passwords must be at least eight characters.")


def checked_quota(text: str) -> str:
    text = text.strip().upper()
    if not text:
        raise Refused("No quota provided.")
    if any(c in text for c in " ,."):
        raise Refused("Quotas cannot contain spaces, commas, or decimal points.")
    if not re.fullmatch(r"[0-9]+[GM]?", text):
        raise Refused("Invalid quota.")
    return text
