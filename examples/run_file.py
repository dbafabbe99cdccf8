"""
Reading a run with h5py alone
=============================

A run is one HDF5 file, which any HDF5 program reads. The names in it are those of ``docs/run_file.md``; no part of
``hpms`` is needed to read it.
"""

import tempfile
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np

import hpms

# %%
# A short run, written as ``hpms train run_dir=...`` writes it.

short = ("training.iterations=30", "training.log_every=2", "collocation.interior_points=400")
with tempfile.TemporaryDirectory() as folder:
    config = hpms.configure("+experiment=osc1d_fast", "problem.eps=0.1", *short, f"output={folder}")
    hpms.train(config, Path(folder, "run"))

    with h5py.File(Path(folder, "run", "run.h5")) as file:
        summary = dict(file["summary"].attrs)
        history = {name: file["metrics"][name][:] for name in ("iteration", "relative_l2", "relative_h1")}
        fields = {name: file["fields"][name][:] for name in ("points", "value", "reference_value", "weights")}

# %%
# ``fields`` has the network and the reference at the same points, with the weights of a quadrature: the error can be
# integrated anew.

misses = fields["value"] - fields["reference_value"]
norm = np.sqrt(fields["weights"] @ fields["reference_value"] ** 2)
result = {"stored": float(summary["relative_l2"]), "integrated": float(np.sqrt(fields["weights"] @ misses**2) / norm)}
print(summary["status"], result)

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained")
left.semilogy(history["iteration"], history["relative_h1"], color="0.6", label="H¹")
left.semilogy(history["iteration"], history["relative_l2"], color="#D55E00", label="L²")
left.set(xlabel="iteration", ylabel="relative error", title="Group metrics")
left.legend(frameon=False)
right.plot(fields["points"][:, 0], misses, color="#D55E00", linewidth=0.8)
right.set(xlabel="x", ylabel="v - u", title="Group fields")
plt.show()
