"""The solution of a layered medium's homogeneous equation that decays, by Floquet's theorem."""

import numpy as np
import scipy.linalg
from jaxtyping import Float

from hpms.fem.fine.layered.period import Period

_LEAST = 1e-14  # of a multiplier


class Decaying:
    """e_k with -(K e')' + λ_k K e = 0 on (0, ∞), e(0) = 1, e(x + p) = ρ_k e(x), 0 < ρ_k < 1, for all λ_k > 0 at once.

    On a period e = 1 + s ℓ - V diag(λ/(κ+λ)) Vᵀ M (1 + s ℓ), s = ρ - 1, where ℓ is harmonic, ℓ(0) = 0, ℓ(p) = 1, and
    κ, V are the eigenpairs of -(Kv')' = κKv, v(0) = v(p) = 0. With D the energy of such e, condensed to 1 and ℓ, the
    continuity of the flux is s²/(1+s) = D(1,1)/D(ℓ, ℓ-1), which loses no digits where λp² is small; θ = -log ρ.
    """

    def __init__(self, period: Period, lambdas: Float[np.ndarray, " k"]):
        self.period, self.lambdas = period, lambdas
        stiffness, mass = period.matrices
        kappa, vectors = scipy.linalg.eigh(stiffness[1:-1, 1:-1], mass[1:-1, 1:-1])
        lift = np.ones((period.count, 2))
        lift[0, 1], lift[1:-1, 1] = 0, -vectors @ ((vectors.T @ stiffness[1:-1, -1]) / kappa)
        moved = vectors.T @ (mass @ lift)[1:-1]
        share = lambdas[:, None] / (kappa + lambdas[:, None])  # (k, i)
        energy = lambdas[:, None, None] * (lift.T @ mass @ lift - moved.T @ moved)
        energy += np.einsum("ki,ia,ib->kab", share * kappa, moved, moved)
        energy[:, 1, 1] += lift[:, 1] @ stiffness @ lift[:, 1]
        coupling = np.maximum(energy[:, 1, 1] - energy[:, 0, 1], _LEAST * energy[:, 1, 1])
        self.theta = 2 * np.arcsinh(0.5 * np.sqrt(energy[:, 0, 0] / coupling))
        ends = np.stack([np.ones_like(lambdas), np.expm1(-self.theta)])
        self.table = lift @ ends  # (n, k)
        self.table[1:-1] -= vectors @ (share.T * (moved @ ends))
        mean, harmonic = (period.weights @ k / period.length for k in (period.values, 1 / period.values))
        self.rates = np.sqrt(lambdas / (mean * harmonic))  # below those at which e decays

    def along(
        self, x: Float[np.ndarray, " m"], kept: slice
    ) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m k"]]:
        """e_k and e_k' of the `kept` k at M points x >= 0."""
        before = np.floor(np.maximum(x, 0) / self.period.length + 1e-12)
        table, decay = np.ascontiguousarray(self.table[:, kept]), np.exp(-before[:, None] * self.theta[kept])
        value, slope = self.period.interpolation(x - before * self.period.length)
        return (value @ table) * decay, (slope @ table) * decay
