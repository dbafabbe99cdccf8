"""Lamé's moduli at points, (M, 2) with λ and μ side by side, and the stresses that they give; in 2-D plane strain."""

import numpy as np
from jaxtyping import Float

from hpms.errors import UserError
from hpms.fem.sample import Function


def sample_moduli(moduli: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m 2"]:
    """λ and μ at the points; `UserError` that names the first where they are no stiffness."""
    values = np.asarray(moduli(points), dtype=np.float64)
    if values.shape != (len(points), 2):
        raise ValueError(f"moduli of shape {values.shape} for points of shape {points.shape}")
    check_moduli(points, values)
    return values


def check_moduli(points: Float[np.ndarray, "m d"], values: Float[np.ndarray, "m 2"]) -> None:
    """Raises `UserError` that names the first point where μ > 0 and dλ + 2μ > 0 do not hold, or one is not finite."""
    dim, (lam, mu) = points.shape[1], values.T
    with np.errstate(invalid="ignore"):
        bad = ~(np.isfinite(values).all(axis=1) & (mu > 0) & (dim * lam + 2 * mu > 0))
    if bad.any():
        i = int(np.argmax(bad))
        where = ", ".join(f"{x:.4g}" for x in points[i])
        raise UserError(
            f"coefficient.lam and coefficient.mu must be finite with mu > 0 and {dim} lam + 2 mu > 0, but at ({where}) "
            f"lam = {lam[i]:.4g} and mu = {mu[i]:.4g}."
        )


def stress(moduli: Float[np.ndarray, "m 2"], slopes: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "m l d"]:
    """σ from ∂_a w_i in row i and column a, of each of l/d vectors w, one below the other."""
    each, (lam, mu) = _vectors(slopes), moduli.T[..., None, None, None]
    pressure = lam * np.trace(each, axis1=2, axis2=3)[..., None, None] * np.eye(each.shape[-1])
    return (pressure + mu * (each + each.swapaxes(2, 3))).reshape(slopes.shape)


def von_mises(moduli: Float[np.ndarray, "m 2"], slopes: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "m k"]:
    """√(3/2 s:s) of the deviatoric stress s = 2μ(e - tr(e)/3 I), with e_33 = 0 in 2-D, of each of k = l/d vectors."""
    each = _vectors(slopes)
    strain = (each + each.swapaxes(2, 3)) / 2
    square = (strain**2).sum(axis=(2, 3)) - np.trace(strain, axis1=2, axis2=3) ** 2 / 3
    return 2 * moduli[:, 1:] * np.sqrt(1.5 * np.maximum(square, 0))


def _vectors(slopes: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "m k d d"]:
    dim = slopes.shape[2]
    return slopes.reshape(len(slopes), -1, dim, dim)
