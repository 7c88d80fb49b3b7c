"""What each command does: functions that take a Clock and a Console, so that other programs can call them too.

Modules whose name begins with an underscore are shared: ``_session`` (a spec with its servers open), ``_memory`` (what
its journal knows), ``_saved`` (plans in files), ``_console`` (result and talk), ``_progress`` (how far a run has come),
``_stopping`` (Ctrl-C), ``_exits`` (the exit codes) and ``_clock``.
"""
