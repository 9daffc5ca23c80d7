"""One browser for all tests of a file."""

from __future__ import annotations

import pytest

from tests.helpers.browser import open_browser


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; the test is skipped where there is none."""
    with open_browser() as browser:
        yield browser
