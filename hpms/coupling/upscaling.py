"""The upscaled coefficient K̃[v] from the mean flux, Eqs. (4.10), (4.18)."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.fem.coarse.problem import FactorisedProblem


def isotropic(mean_flux: Float[Array, ""], dim: int) -> Float[Array, "d d"]:
    """K̃ = K̃₁₁ I with K̃₁₁ = mean over x^r of K(∂₁v + 1)."""
    return mean_flux * jnp.eye(dim, dtype=mean_flux.dtype)


def isotropic_adjoint(sensitivity: Float[Array, "d d"]) -> Float[Array, ""]:
    """d(Σ s_ab K̃_ab)/d(mean flux) = Σ_a s_aa."""
    return jnp.trace(sensitivity)


def isotropic_sensitivity(solver: FactorisedProblem, y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """∂y/∂(mean flux) = Σ_a ∂y/∂K̃_aa."""
    return np.sum([solver.sensitivity(a, a, y) for a in range(solver.space.dim)], axis=0)
