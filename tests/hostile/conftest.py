"""The command line of tests/cli, and one small run to do harm to."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import finished, hpms, one_run, tiny  # noqa: F401


@pytest.fixture
def stored(finished):  # noqa: F811
    """A copy of a finished run's directory, in the working directory."""
    shutil.copytree(finished.parent, "run")
    shutil.rmtree("outputs")
    return Path("run")
