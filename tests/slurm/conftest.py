"""A SLURM of one node for these tests: `python -m pytest -n 0 -m slurm tests/slurm`.

They are skipped where SLURM cannot start; with HPMS_REQUIRE_SLURM=1 they fail there.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).with_name("one_node.sh")


@pytest.fixture(scope="session")
def slurm():
    """The folder of a running SLURM that `sbatch`, `squeue` and `scancel` of this process talk to."""
    folder = tempfile.mkdtemp(prefix="slurm")  # not pytest's: sockets want short paths
    log = Path(folder, "start.log")
    try:
        with log.open("wb") as file:
            code = subprocess.call([_SCRIPT, "start", folder], stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        if code:
            reason = f"SLURM does not start: {log.read_text().strip()}"
            (pytest.fail if os.environ.get("HPMS_REQUIRE_SLURM") == "1" else pytest.skip)(reason)
        os.environ["SLURM_CONF"] = f"{folder}/slurm.conf"
        yield Path(folder)
    finally:
        subprocess.call([_SCRIPT, "stop", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.environ.pop("SLURM_CONF", None)
        shutil.rmtree(folder, ignore_errors=True)
