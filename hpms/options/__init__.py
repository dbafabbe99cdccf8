"""The keys of every option, what their values may be, and what each builds; one file per group.

No file here imports JAX at its top: a wrong value is refused before JAX is loaded, which takes seconds.
"""
