"""JAX's flags, which are set nowhere else; the device; and where a result comes from."""

import hashlib
import logging
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache

from hpms import __version__
from hpms.config.config import Config
from hpms.errors import ConfigError
from hpms.machine import devices, processes

log = logging.getLogger(__name__)
_FLAGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_numpy_dtype_promotion", "jax_default_device")
_PACKAGES = ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "scikit-fem", "h5py", "hydra-core")


def setup(
    platform_name: str | None, count: int | None = None, distributed: bool = False, programs: str | None = None
) -> None:
    """Sets JAX's flags for the keys of `runtime`; called at the start of every command, since jobs of a sweep share a
    process.

    Compiled programs are kept in `programs`: a folder, auto for one below the user's cache folder (or
    where JAX_COMPILATION_CACHE_DIR says), or None.
    """
    if distributed:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        processes.join()
    _set(platform_name, count)
    if not (programs == "auto" and os.environ.get("JAX_COMPILATION_CACHE_DIR")):
        _keep_programs(programs)


def _set(platform_name: str | None, count: int | None) -> None:
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    _ask_for_cpus(count)
    try:
        there = jax.devices(platform_name)
    except RuntimeError:
        raise ConfigError("runtime.platform", platform_name, "JAX finds no such device here") from None
    local = [device for device in there if device.process_index == jax.process_index()]
    if count is not None and count > len(local):
        kind = f"{local[0].platform} device{'s' if len(local) > 1 else ''}"
        raise ConfigError("runtime.devices", count, f"JAX has {len(local)} {kind} in this process")
    jax.config.update("jax_default_device", platform_name and local[0])
    ranked = [[device for device in there if device.process_index == i] for i in range(jax.process_count())]
    devices.spread([device for own in ranked for device in own[:count]])


def _ask_for_cpus(count: int | None) -> None:
    """A CPU is as many devices as are asked for before JAX first looks at it, unless the environment says how many."""
    named = "xla_force_host_platform_device_count" in os.environ.get("XLA_FLAGS", "")
    if count is not None and not named and jax.config.jax_num_cpu_devices == -1:  # type: ignore[attr-defined]
        with suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", count)


@contextmanager
def flags(config: Config) -> Iterator[None]:
    """Within the block JAX's flags are those of a configuration, and behind it as they were before."""
    before, spread = {name: getattr(jax.config, name) for name in _FLAGS}, devices.chosen()
    try:
        _set(config.runtime.platform, config.runtime.devices)
        yield
    finally:
        devices.spread(spread)
        for name, value in before.items():
            jax.config.update(name, value)


def device() -> Any:
    """The device that computes."""
    return jax.config.jax_default_device or jax.local_devices()[0]  # type: ignore[attr-defined]


def device_name() -> str:
    """The GPU's name, or the CPU's as Linux knows it."""
    if device().platform != "cpu":
        return device().device_kind
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(*names: str) -> str:
    """The first entry of one of these names that Linux has for the processor, or an empty string."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(names)), "")


def _keep_programs(folder: str | None) -> None:
    """Compiled programs are machine code: a folder for each kind of processor, and for the user alone."""
    if folder == "auto":
        processor = hashlib.sha256(f"{device_name()} {_cpuinfo('flags', 'Features')}".encode()).hexdigest()[:8]
        user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = str(Path(user, "hpms", "compiled", f"{platform.machine()}-{processor}"))
    if folder is not None:
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            log.warning("compilation_cache=%s cannot be used (%s): programs are compiled anew", folder, error)
            folder = None
    if folder != jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
        jax.config.update("jax_compilation_cache_dir", folder)
        compilation_cache.reset_cache()
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def provenance() -> dict[str, Any]:
    """Versions, commit, device, machine and command line, as plain values."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(sys.argv),
        "python": platform.python_version(),
        "hpms": __version__,
        **{package: version(package) for package in _PACKAGES},
        "commit": _commit(),
        "device": device_name(),
        "platform": device().platform,
        "devices": devices.count(),
        "host": platform.node(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0,
    }


def _commit() -> str:
    """The commit of the checkout that runs, with `+` where files were changed, or an empty string."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        git = ["git", "-C", str(root)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=True)
        status = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return head.stdout.strip() + ("+" if status.stdout.strip() else "")
