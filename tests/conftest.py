import gc
import os
import sys
from importlib.metadata import version
from pathlib import Path

# XLA compiles soonest without optimizations, each program in one piece, and without its newer emitters of fused loops,
# which later versions have no flag for, and end at flags that they do not know.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
    + (" --xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else ""),
)

import absl.logging
import jax
import pytest

gc.disable()  # until all tests are there
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
# Optax brings absl, whose handler closes the stream it found at import when Hydra sets up logging: pytest's.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__


def pytest_collection_finish():
    """Garbage is looked for among what tests make, not among what imports made, and less often: tracing makes much."""
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def compile_once(tmp_path_factory):
    """Programs that were compiled once are found again, by all test processes and by those that they start.

    Another session finds them, too, if JAX_COMPILATION_CACHE_DIR names the same folder for both.
    """
    base = tmp_path_factory.getbasetemp()
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    here = str(Path(base.parent if worker else base, "compiled"))
    settings = {
        "jax_compilation_cache_dir": os.environ.get("JAX_COMPILATION_CACHE_DIR", here),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": 0,
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            jax.config.update(name, value)
            environment.setenv(name.upper(), str(value))
        yield
