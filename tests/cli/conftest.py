"""What the tests of commands share."""

from __future__ import annotations

import pytest

from otdiv import cli


@pytest.fixture
def run(capsys):
    """Run the command in this process: exit code, stdout, stderr."""

    def call(*argv):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(word) for word in argv])
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err

    return call
