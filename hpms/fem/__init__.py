"""Finite elements: spaces, assembly, factorisations, quadrature (NumPy and SciPy, float64, no JAX)."""
