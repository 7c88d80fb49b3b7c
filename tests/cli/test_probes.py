"""Probes as a person meets them: nobody is contacted unless the spec says so, and the answer holds the MX back."""

import socket

import pytest

from tests.support.files_world import write_spec


@pytest.fixture
def server():
    """Listens and says nothing: who connects waits in its queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def probe(server: socket.socket) -> dict[str, object]:
    return {"smtp": f"127.0.0.1:{server.getsockname()[1]}", "timeout": 1}


def was_contacted(server: socket.socket) -> bool:
    server.settimeout(0)
    try:
        plug, _ = server.accept()
    except BlockingIOError:
        return False
    plug.close()
    return True


def test_before_the_cutover_nobody_asks(run, spec, server):
    write_spec(spec, probe=probe(server))
    assert run("plan", spec, "--stage", "overlap").code == 2
    assert not was_contacted(server)


def test_a_server_that_does_not_answer_holds_back_the_mx_and_nothing_before_it(run, spec, server):
    write_spec(spec, probe=probe(server))
    shown = run("plan", spec, "--stage", "cutover")
    assert was_contacted(server)
    assert "The new server takes mail for every address" in shown.out
    assert "does not answer within 1 seconds" in shown.out
    assert shown.code == 2
    assert run("apply", spec, "--yes").code == 0


def test_without_the_section_the_checks_say_that_they_did_not_ask(run, spec):
    shown = run("plan", spec, "--stage", "cutover", "--verbose")
    assert "not asked: probe.smtp in the spec names no server" in shown.out
