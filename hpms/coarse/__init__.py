"""The finite element side: the coarse state, and the fine reference solution (NumPy and SciPy, float64)."""
