"""The command line: one command a file, which says what may be typed; ``run`` holds what then happens.

So ``reconciler --help`` loads nothing but Typer: a command imports its act when it is called.
"""
