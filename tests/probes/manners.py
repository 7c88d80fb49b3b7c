"""The manners of a mail server that a sender may meet, each on a port of one Postfix."""

from dataclasses import dataclass

from tests.lab.mail_server_postfix import Postfix

_STRANGERS = "-o mynetworks=192.0.2.1/32"
MANNERS = {
    "usual": (2601, _STRANGERS),
    "trusting": (2602, "-o mynetworks=127.0.0.0/8"),
    "three recipients": (2603, f"{_STRANGERS} -o smtpd_recipient_limit=3"),
    "greylisting": (2604, f"{_STRANGERS} -o smtpd_recipient_restrictions=$put_off"),
    "no bounces": (2605, f"{_STRANGERS} -o smtpd_delay_reject=no -o smtpd_sender_restrictions=$no_bounces"),
    "no literals": (2606, f"{_STRANGERS} -o smtpd_delay_reject=no -o smtpd_helo_restrictions=$no_literals"),
    "tls": (2607, f"{_STRANGERS} -o smtpd_tls_security_level=encrypt -o smtpd_tls_loglevel=1"),
    "no pipelining": (2608, f"{_STRANGERS} -o smtpd_discard_ehlo_keywords=pipelining"),
    "takes everything": (2609, f"{_STRANGERS} -o virtual_mailbox_maps=static:all"),
}


@dataclass(frozen=True)
class Answering:
    """The Postfix, and where each of its manners is met."""

    postfix: Postfix

    def at(self, manner: str) -> str:
        return f"{self.postfix.address}:{MANNERS[manner][0]}"

    def connections(self) -> int:
        return self.postfix.log().count(": connect from ")
