"""The child process that is a slow line to a port of this machine, until its standard input ends."""

import sys

from tests.lab.proxy import Proxy

DELAY = 0.020  # seconds each way

if __name__ == "__main__":
    with Proxy(int(sys.argv[1]), delay=DELAY) as proxy:
        print(proxy.own_port, flush=True)
        sys.stdin.read()
