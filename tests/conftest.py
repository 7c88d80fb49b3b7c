"""For all tests: nothing is timed, and figures that a test has recorded stand below the results."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that of several processes none is left alone with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/journeys/test_move"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Also where several processes have run the tests."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    lines = [text for report in reports for name, text in getattr(report, "user_properties", ()) if name == "figures"]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(set(lines)):
            terminalreporter.write_line(line)
