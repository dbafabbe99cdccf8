"""Rates of convergence."""

import numpy as np
from jaxtyping import Float


def local_rates(sizes: Float[np.ndarray, " m"], errors: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m-1"]:
    """log(e_{i+1}/e_i) / log(s_{i+1}/s_i) of neighbours; NaN where an error is 0 or not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.diff(np.log(errors)) / np.diff(np.log(sizes))
    return np.where(np.isfinite(rates), rates, np.nan)


def fitted_rate(sizes: Float[np.ndarray, " m"], errors: Float[np.ndarray, " m"]) -> float:
    """The exponent r of e = C s^r by least squares in logarithms, from the errors that are positive and finite.

    NaN where fewer than two sizes are left.
    """
    usable = np.isfinite(errors) & (errors > 0)
    if len(np.unique(sizes[usable])) < 2:
        return float("nan")
    x, y = np.log(sizes[usable]), np.log(errors[usable])
    x = x - x.mean()
    return float(x @ y / (x @ x))
