"""For all tests: nothing is timed, random examples are not measured, and figures stand below the results."""

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.support.examples import examples

settings.register_profile(
    "untimed", max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that of several processes none is left alone with it at the end.

    Which lines random examples run is another thing in every run, and to look takes as long as they do: coverage counts
    what the other tests run.
    """
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if is_hypothesis_test(getattr(item, "obj", None)):
                item.add_marker("no_cover")
    items.sort(key=lambda item: not item.nodeid.startswith("tests/journeys/test_move"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Also where several processes have run the tests."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    lines = [text for report in reports for name, text in getattr(report, "user_properties", ()) if name == "figures"]
    if lines:
        terminalreporter.section("figures")
        for line in sorted(set(lines)):
            terminalreporter.write_line(line)
