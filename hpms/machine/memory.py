"""How much memory there is."""

import math
import os
from pathlib import Path

from hpms.machine.runtime import device

GIGA = 1e9
_ROOT = Path("/sys/fs/cgroup")
# Limit, use and statistics of a control group, version 2 and version 1, and what there counts as given back at once.
_CGROUPS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file"),
)


def available() -> float:
    """Bytes that are left: a GPU's whole memory, or the machine's within the limits of its control groups.

    What the system keeps of files that were read or written counts as free.
    """
    if device().platform != "cpu":
        return float((device().memory_stats() or {}).get("bytes_limit", math.inf))
    return min([_meminfo(), *(_left(folder, *names) for folder in _folders() for names in _CGROUPS)])


def _folders() -> list[Path]:
    """The control groups of this process, and those that hold them."""
    found = [_ROOT, _ROOT / "memory"]
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            own = _ROOT / controllers / path.lstrip("/")
            found += [folder for folder in (own, *own.parents) if folder.is_relative_to(_ROOT)]
    return found


def _left(folder: Path, limit: str, used: str, statistics: str, cached: str) -> float:
    most, now = _number(folder / limit), _number(folder / used)
    if not (math.isfinite(most) and math.isfinite(now)):
        return math.inf
    try:
        entries = dict(line.split() for line in (folder / statistics).read_text().splitlines())
    except (OSError, ValueError):
        entries = {}
    return max(0.0, most - now + float(entries.get(cached, 0)))


def _meminfo() -> float:
    """What Linux calls available; all memory on another system."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _number(path: Path) -> float:
    try:
        return float(path.read_text())
    except (OSError, ValueError):
        return math.inf
