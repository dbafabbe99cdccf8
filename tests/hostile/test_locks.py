"""One process per run directory, whoever comes at what moment."""

import os
from pathlib import Path

import pytest

from hpms.errors import UserError
from hpms.results import lock
from hpms.results.lock import locked


def test_who_does_not_get_the_lock_leaves_it_to_who_has_it(tmp_path, monkeypatch):
    """Both find no directory; the second fails, and a third does not get in."""
    directory, seen = tmp_path / "run", Path.exists
    with locked(directory):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "exists", lambda path: False if path == directory else seen(path))
            with pytest.raises(UserError, match="in use"), locked(directory):
                pass
        assert (directory / ".lock").exists()
        with pytest.raises(UserError, match="in use"), locked(directory):
            pass


def test_a_lock_that_was_taken_away_before_it_was_got_is_made_anew(tmp_path, monkeypatch):
    directory, times = tmp_path / "run", []
    flock = lock.fcntl.flock

    def late(handle, how):
        if not times:
            os.unlink(directory / ".lock")
        times.append(how)
        flock(handle, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with locked(directory):
        assert len(times) == 2 and (directory / ".lock").exists()
        with pytest.raises(UserError, match="in use"), locked(directory):
            pass


def test_only_our_own_unfinished_files_are_removed(tmp_path):
    theirs, ours = tmp_path / ".notes.tmp", tmp_path / f".run.h5.{'0' * 32}.tmp"
    theirs.touch()
    ours.touch()
    with locked(tmp_path):
        assert theirs.exists() and not ours.exists()
