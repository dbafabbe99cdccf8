import os
import sys

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # compiles in half the time

import absl.logging
import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
# Optax brings absl, whose handler closes the stream it found at import when Hydra sets up logging: pytest's.
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__
