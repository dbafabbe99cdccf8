"""
A network of one's own
======================

``plugins/sines.py`` is a network in forty lines: sines of random frequencies, which are not trained, and one hidden
layer behind them. Registered as ``network=sines``, with its keys in a YAML file, it is an option like any other
(:doc:`adding your own </extending>`).
"""

import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import hpms

PLUGINS = Path(hpms.__file__).parents[1] / "examples/plugins"  # in a checkout

problem = hpms.Problem(
    domain=hpms.Box(1),
    eps=0.1,
    coefficient="2 + sin(2*pi*x1/eps)",
    periods=(0.1,),
    source="1 + x1",
    conditions={"all": hpms.Dirichlet(0)},
)

# %%
# The same least squares train it and a perceptron of the package. ``plugins`` are modules, ``config_dir`` is the folder
# of ``network/sines.yaml``.

NETWORKS = {
    "sines (own)": ("network=sines", "network.features=32", "network.width=12"),
    "perceptron": ("network=mlp", "network.width=16", "network.depth=2"),
}
short = ("training.iterations=120", "training.log_every=5", "collocation.interior_points=400")
own = {"plugins": ("sines",), "config_dir": PLUGINS / "conf"}
sys.path.append(str(PLUGINS))  # so that `import sines` finds it
with tempfile.TemporaryDirectory() as folder:  # for what the reference keeps
    rest = (*short, f"output={folder}")
    solutions = {name: hpms.solve(problem, "fast", *each, *rest, **own) for name, each in NETWORKS.items()}
result = {name: each.errors["relative_l2"] for name, each in solutions.items()}
print(result)

# %%
# A network has to know the fine scale. The sines do, by ``band: 1/eps`` in their file; the perceptron stays near v = 0.

x = np.linspace(0, 1, 601)
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained")
for (name, each), color in zip(solutions.items(), ("#D55E00", "0.6"), strict=True):
    left.semilogy(each.history["iteration"], each.history["relative_l2"], color=color, label=name)
    right.plot(x, each.w(x[:, None]), color=color)
left.set(xlabel="iteration", ylabel="relative L² error")
left.legend(frameon=False)
right.set(xlabel="x", ylabel="w")
plt.show()
