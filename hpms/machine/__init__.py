"""The machine: devices, processes, memory, files, JAX's flags."""
