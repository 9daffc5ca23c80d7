"""Markers for all tests: what takes long is ``slow`` and left out by ``make smoke``."""

from __future__ import annotations

import pytest

SLOW = {
    "tests/test_notebooks.py",
}
"""Files whose tests take long, by measurement (``pytest --durations=0``)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of the slow files."""
    for item in items:
        if item.path.relative_to(item.config.rootpath).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)
