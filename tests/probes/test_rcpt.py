import dataclasses
import socket
import time
from typing import Any

import pytest

from reconciler.checks.new_server_answers import CHECK
from reconciler.checks.open_relay import CHECK as RELAY
from reconciler.model.address import Place
from reconciler.model.change import Change
from reconciler.model.outside import Outside, Receptions
from reconciler.model.resource import Resource
from reconciler.model.stage import Stage
from reconciler.model.verdict import Fail, Pass, Wait, Warn
from reconciler.probes.rcpt import PROBE
from reconciler.spec.spec import Spec
from reconciler.transports.mail.recipients import ENOUGH
from tests.lab.ports import own_port
from tests.probes.around import around
from tests.probes.manners import Answering
from tests.support.changes import catch_all, mailbox, make
from tests.support.facts import facts
from tests.support.specs import spec, state

pytestmark = pytest.mark.daemon

ANN, BOB, INFO = "ann@example.org", "bob@example.org", "info@example.org"
EVERYONE = [f"u{number}@example.org" for number in range(300)]


def asking(*servers: str, **overrides: Any) -> Spec:
    probe = {"smtp": list(servers), "timeout": 5, **overrides.pop("probe", {})}
    return spec(probe=probe, aliases={INFO: [ANN]}, **overrides)


def seen(move: Spec, *world: Resource) -> Receptions:
    found = PROBE.gather(move, around(*world))
    assert isinstance(found, Receptions)
    return found


def judged(move: Spec, *world: Resource, changes: tuple[Change, ...] = (), check=CHECK):
    known = facts(Stage.CUTOVER, state(*world), *changes)
    return check.judge(move, dataclasses.replace(known, outside=Outside((seen(move, *world),))))


def test_without_a_server_in_the_spec_nobody_is_asked():
    assert PROBE.gather(spec(), around()) is None
    assert PROBE.gather(spec(probe={"resolver": "127.0.0.1"}), around()) is None
    not_asked = "not asked: probe.smtp in the spec names no server"
    assert CHECK.judge(spec(), facts(Stage.CUTOVER, {})) == Pass(not_asked)


def test_the_addresses_of_the_spec_and_of_the_old_server_are_asked_once_each(answering: Answering):
    (found,) = seen(asking(answering.at("usual")), mailbox(Place.OLD), mailbox(Place.OLD, "u7@example.org")).servers
    assert list(found.answers) == [ANN, BOB, INFO, "u7@example.org"]
    assert all(reply.taken for reply in found.answers.values())
    assert str(found.nobody).startswith("550 5.1.1 <nobody-")
    assert str(found.outside) == "554 5.7.1 <postmaster@mx.old.example>: Relay access denied"
    assert (found.unasked, found.trouble) == (0, "")


def test_a_server_that_takes_them_all_passes(answering: Answering):
    move = asking(answering.at("usual"))
    assert judged(move) == Pass(f"{answering.at('usual')} takes all 3 addresses")
    assert isinstance(judged(move, check=RELAY), Pass)


def settle(answering: Answering) -> None:
    """Postfix begins a file at the first recipient that it takes, and removes it after the connection has ended."""
    deadline = time.monotonic() + 10
    while answering.postfix.queued():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_mail_is_sent(answering: Answering):
    seen(asking(answering.at("usual")))
    settle(answering)
    assert "message-id=" not in answering.postfix.log()
    assert " data=" not in answering.postfix.log()  # smtpd counts the commands of each connection when it ends


def test_a_forgotten_address_is_refused_and_named_with_the_servers_own_words(answering: Answering):
    answer = judged(asking(answering.at("usual")), mailbox(Place.OLD, "gone@example.org"))
    assert isinstance(answer, Fail)
    assert f"{answering.at('usual')} refuses 1 of 4 addresses, mail for them would bounce: gone@" in answer.why
    assert "User unknown in virtual mailbox table" in answer.why


def test_an_address_that_an_earlier_step_makes_is_waited_for(answering: Answering):
    made = mailbox(Place.NEW, "gone@example.org")
    answer = judged(asking(answering.at("usual")), mailbox(Place.OLD, made.name), changes=(make(made),))
    assert isinstance(answer, Wait)
    assert answer.until is None
    assert "does not know 1 address yet (gone@example.org)" in answer.why


def test_hundreds_of_addresses_go_over_few_connections(answering: Answering):
    before = answering.connections()
    (found,) = seen(asking(answering.at("usual")), *(mailbox(Place.OLD, name) for name in EVERYONE)).servers
    assert len(found.answers) == 303
    assert all(reply.taken for reply in found.answers.values())
    assert answering.connections() - before <= 3


def test_a_server_that_does_not_pipeline_is_asked_one_by_one(answering: Answering):
    (found,) = seen(asking(answering.at("no pipelining")), *(mailbox(Place.OLD, name) for name in EVERYONE)).servers
    assert len(found.answers) == 303
    assert all(reply.taken for reply in found.answers.values())


def test_enough_refusals_are_enough_and_the_server_is_not_annoyed(answering: Answering):
    strangers = [mailbox(Place.OLD, f"x{number}@example.org") for number in range(200)]
    move = asking(answering.at("usual"))
    (found,) = seen(move, *strangers).servers
    refused = 2 + sum(reply.refused for reply in found.answers.values())  # with nobody and the relay
    assert ENOUGH <= refused < ENOUGH + 4
    assert len(found.answers) + found.unasked == 203
    assert "too many errors" not in answering.postfix.log()
    answer = judged(move, *strangers)
    assert isinstance(answer, Fail)
    assert f"({found.unasked:,} were not asked any more)" in answer.why


def test_a_limit_on_recipients_of_one_message_refuses_nobody(answering: Answering):
    (found,) = seen(asking(answering.at("three recipients")), *(mailbox(Place.OLD, n) for n in EVERYONE)).servers
    assert len(found.answers) == 303
    assert all(reply.taken for reply in found.answers.values())


def test_greylisting_is_not_known_yet(answering: Answering):
    answer = judged(asking(answering.at("greylisting")))
    assert isinstance(answer, Wait)
    assert answer.until is not None
    assert answer.why.startswith(f"not known yet: {answering.at('greylisting')} puts off 1 address, as one that")
    assert "bob@example.org (450 4.2.0 <bob@example.org>: Recipient address rejected: Greylisted, come" in answer.why


def test_a_catch_all_takes_what_nobody_has(answering: Answering):
    catching = {"domain": "catch.example", "mailboxes": [{"address": "ann@catch.example"}], "aliases": {}}
    move = spec(probe={"smtp": answering.at("usual")}, catch_all="ann@catch.example", **catching)
    (found,) = seen(move).servers
    assert str(found.nobody) == "250 2.1.5 Ok"
    assert isinstance(judged(move), Pass)


def test_a_catch_all_that_does_not_work_fails_and_one_to_come_is_waited_for(answering: Answering):
    move = asking(answering.at("usual"), catch_all=ANN)
    answer = judged(move, catch_all(Place.NEW, ANN))
    assert isinstance(answer, Fail)
    assert "refuses an address that only its catch-all can take (550 5.1.1" in answer.why
    assert isinstance(judged(move, changes=(make(catch_all(Place.NEW, ANN)),)), Wait)


def test_a_server_that_takes_everything_proves_nothing(answering: Answering):
    answer = judged(asking(answering.at("takes everything")))
    assert isinstance(answer, Fail)
    assert "takes an address that nobody has (250 2.1.5 Ok), so its word proves nothing" in answer.why


def test_an_open_relay_is_told(answering: Answering):
    move = asking(answering.at("trusting"))
    answer = judged(move, check=RELAY)
    assert isinstance(answer, Warn)
    assert answer.why.startswith(
        "mail from anybody to postmaster@mx.old.example, which is not of this domain, is taken"
    )
    assert isinstance(judged(move), Pass)


def test_tls_is_taken_where_it_is_offered(answering: Answering):
    assert isinstance(judged(asking(answering.at("tls"))), Pass)
    assert "TLS connection established" in answering.postfix.log()


def test_a_server_that_takes_no_bounces_is_named_with_its_answer(answering: Answering):
    answer = judged(asking(answering.at("no bounces")))
    assert isinstance(answer, Fail)
    assert "answers MAIL FROM:<> with 550 5.7.1" in answer.why
    assert "No bounces here" in answer.why


def test_a_name_for_ehlo_can_be_given(answering: Answering):
    refused = judged(asking(answering.at("no literals")))
    assert isinstance(refused, Fail)
    named = judged(asking(answering.at("no literals"), probe={"helo": "probe.example"}))
    assert isinstance(named, Pass)


def test_of_several_servers_each_is_asked(answering: Answering):
    found = seen(asking(answering.at("usual"), answering.at("greylisting")))
    assert [each.server for each in found.servers] == [answering.at("usual"), answering.at("greylisting")]


def test_a_server_that_is_down_fails_and_says_where_it_was_asked():
    port = own_port()
    answer = judged(asking(f"127.0.0.1:{port}"))
    assert isinstance(answer, Fail)
    assert answer.why.startswith(f"127.0.0.1:{port} cannot be reached: connection refused")


def test_a_server_that_says_nothing_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = judged(asking(f"127.0.0.1:{silent.getsockname()[1]}", probe={"timeout": 1}))
    assert isinstance(answer, Fail)
    assert "does not answer within 1 seconds" in answer.why


def test_going_back_asks_nothing():
    back = dataclasses.replace(facts(Stage.CUTOVER, {}), back=True)
    assert CHECK.judge(spec(), back) == Pass("mail goes back to the old server")
