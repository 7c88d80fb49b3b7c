"""Child processes that say a line, wait to be told to go on, and are killed."""

import subprocess


def said(child: subprocess.Popen[str]) -> str:
    """The next line of its standard output."""
    assert child.stdout
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str]) -> None:
    """Let it go on."""
    assert child.stdin
    child.stdin.write("go\n")
    child.stdin.flush()


def killed(child: subprocess.Popen[str]) -> None:
    """Without a word, as by a power cut."""
    child.kill()
    child.communicate()
