"""An account of a program, not of a person, that a provider lets act for all users of a domain."""

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from reconciler.spec.frozen import Frozen
from reconciler.spec.types import Reference

_MICROSOFT: Final = "https://login.microsoftonline.com"
_MICROSOFT_SCOPE: Final = "https://outlook.office365.com/.default"


def _https(value: str) -> str:
    url = urlsplit(value)
    if url.scheme != "https" or not url.hostname or url.username or url.query or url.fragment:
        msg = f"{value!r} is no https URL: a secret is sent there, so it must be one, as in {_MICROSOFT}"
        raise ValueError(msg)
    return value.rstrip("/")


class MicrosoftApplication(Frozen):
    """An application registered with Entra, with the permission IMAP.AccessAsApp and FullAccess to the mailboxes."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    """The directory: its id, or a domain of it."""
    client: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    """The application's (client) id."""
    secret: Reference
    """Reference to a client secret of the application."""
    authority: Annotated[str, AfterValidator(_https)] = _MICROSOFT
    """Who gives the tokens; another one in a national cloud."""
    scope: str = Field(default=_MICROSOFT_SCOPE, min_length=1)
    """What the token is for; another one in a national cloud."""


class ServiceAccount(Frozen):
    """One of the two providers."""

    google: Reference | None = None
    """Reference to the JSON key of a service account with domain-wide delegation for https://mail.google.com/."""
    microsoft: MicrosoftApplication | None = None
    """An application of Microsoft 365 that logs in with its own credentials."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.google is None) == (self.microsoft is None):
            msg = "a service account is one of Google's or of Microsoft's: give either google or microsoft"
            raise ValueError(msg)
        return self
