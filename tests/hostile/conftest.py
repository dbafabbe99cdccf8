"""The command line of tests/cli, and one small run to do harm to."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import hpms, tiny  # noqa: F401


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def stored(hpms, tiny, kept, tmp_path):  # noqa: F811
    """A copy of a finished run's directory, in the working directory."""
    if not any(kept.iterdir()):
        result = hpms("train", *tiny)
        assert result.code == 0, result.err
        shutil.copytree(Path(result.last_line).parent, kept / "run")
        shutil.rmtree(tmp_path / "outputs")
    shutil.copytree(kept / "run", tmp_path / "run")
    return Path("run")
