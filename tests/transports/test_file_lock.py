import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.errors import WriteError
from reconciler.transports import file_lock

HOLD = """
import pathlib, sys
from reconciler.transports import file_lock
with file_lock.locked([pathlib.Path(sys.argv[1])]):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_lock_of_a_killed_process_is_free_at_once(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "f"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"locked\n"
        with (
            pytest.raises(WriteError, match=r"/f could not be locked within 0 seconds.*fuser -v .*f\.reconciler-lock"),
            file_lock.locked([tmp_path / "f"], patience=0),
        ):
            pass
        holder.kill()
        holder.wait()
    with file_lock.locked([tmp_path / "f"], patience=0):
        pass
    assert list(tmp_path.iterdir()) == []


def test_threads_that_lock_in_any_order_neither_pass_one_another_nor_wait_for_ever(tmp_path):
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_text("0")

    def add(turn):
        with file_lock.locked(files if turn % 2 else [files[1], files[0], files[1]]):
            for file in files:
                file.write_text(str(int(file.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(40)))
    assert [file.read_text() for file in files] == ["40", "40"]
