import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.lab import ports
from tests.lab.ports import BLOCK, own_port
from tests.support.program import ROOT

TAKE = f"""
import sys
from tests.lab.ports import own_port
print(*(own_port() for _ in range({2 * BLOCK})), flush=True)
sys.stdin.readline()
"""


def test_no_port_is_handed_out_twice_to_one_process() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: own_port(), range(5 * BLOCK)))
    assert len(set(found)) == len(found)


def test_no_port_is_handed_out_to_two_processes_that_run_side_by_side() -> None:
    mine = {own_port() for _ in range(2 * BLOCK)}
    command = [sys.executable, "-c", TAKE]
    others = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]
    found = [set(map(int, other.stdout.readline().split())) for other in others if other.stdout]
    assert len(found) == len(others)
    for other in others:
        other.communicate("go\n")
        assert other.returncode == 0
    assert {len(each) for each in found} == {2 * BLOCK}
    assert len(mine.union(*found)) == len(mine) + sum(map(len, found))


def test_connections_that_go_out_take_none_of_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as anybody:
        assert own_port() < ports.end() <= anybody.getsockname()[1]


def test_a_port_at_which_somebody_listens_is_left_to_him() -> None:
    start = next(port for port in iter(own_port, None) if port % BLOCK < BLOCK - 3)
    taken = [socket.create_server(("127.0.0.1", start + 1)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    taken[1].bind(("127.0.0.1", start + 2))
    assert own_port() == start + 3
    for each in taken:
        each.close()
