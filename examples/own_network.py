"""
A network of one's own
======================

A Python module and a YAML file make a new option of a group, here a network: a sum of sines whose frequencies, phases
and amplitudes are trained. They are written into a folder, and the command line names both.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import hpms

MODULE = """from dataclasses import dataclass
import jax, jax.numpy as jnp
from hpms.config.registry import register
from hpms.jet import activate, affine, linear
from hpms.network.activation import sine
from hpms.network.base import AbstractNetwork
from hpms.options.network import NetworkOptions
class Sines(AbstractNetwork):
    frequencies: jax.Array
    phases: jax.Array
    amplitudes: jax.Array
    def jet(self, x, forms=None):
        waves = activate(affine(x, self.frequencies, self.phases, forms), sine)
        return linear(waves, self.amplitudes, jnp.zeros(1, x.dtype))
@register("network", "sines")
@dataclass(frozen=True)
class SinesOptions(NetworkOptions):
    waves: int
    def build(self, key, scales, dtype):
        drawn = jax.random.uniform(key, (scales.dim, self.waves), dtype, -15 / scales.eps, 15 / scales.eps)
        return Sines(drawn, jnp.zeros(self.waves, dtype), jnp.zeros((self.waves, scales.outputs), dtype))
"""

# %%
# A run file names the network and has none of its code: whoever loads the run says where the module is.

COMMAND = "train --quiet --config-dir mine +experiment=osc1d_fast network=sines plugins=[sines] run_dir=run"
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "mine/network").mkdir(parents=True)
    Path(folder, "mine/network/sines.yaml").write_text("name: sines\nwaves: 40\n")
    Path(folder, "sines.py").write_text(MODULE)
    subprocess.run([sys.executable, "-m", "hpms", *COMMAND.split()], cwd=folder, check=True)
    sys.path.insert(0, folder)
    solution = hpms.load(Path(folder, "run"), plugins=("sines",))
result = solution.errors
print("relative errors: L² {relative_l2:.1e}, H¹ {relative_h1:.1e}".format(**result))

points = np.linspace(0, 1, 801)[:, None]
figure, axes = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
axes.plot(points, solution.value(points), color="#D55E00")
axes.set(xlabel="x", ylabel="v", title="The network, a sum of 40 sines")
plt.show()
