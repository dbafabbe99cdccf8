"""How much memory there is."""

import math
import os
from pathlib import Path

from hpms.runtime import device

GIGA = 1e9
_CGROUPS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def available() -> float:
    """Bytes that the device has left: a GPU's, or the machine's within the limits of its container."""
    if device().platform != "cpu":
        return float((device().memory_stats() or {}).get("bytes_limit", math.inf))
    found = [_meminfo()]
    for names in _CGROUPS:
        limit, used = (_number(Path("/sys/fs/cgroup", name)) for name in names)
        found.append(limit - used if math.isfinite(used) else math.inf)
    return min(found)


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
