"""A flux that carries given sources and boundary fluxes, simplex by simplex: the least in the norm of K^{-1}.

Find τ in the lowest-order Raviart-Thomas space, with p on the simplices and e on the facets, such that

    -∇·τ + c p = ρ in each simplex,   τ·n + a e = γ on facets with a condition for the flux,   e = 0 on others of ∂Ω,

by hybridisation (Arnold and Brezzi, 1985). With ψ_i = (x - v_i)/(d|T|) and M_ij = ∫_T ψ_i·K^{-1}ψ_j the fluxes out of
T are f = M^{-1}(e - p), Σ f = |T|(c p - ρ), from which p follows from e; and e from the balance at each facet.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from hpms.bound.simplicial.facets import Facets
from hpms.fem.spd import solve


@dataclass(frozen=True)
class Carried:
    """Per problem and simplex: the fluxes out of T, p, and what is left of the equation; e on the facets."""

    flux: Float[np.ndarray, "l t d1"]
    pressure: Float[np.ndarray, "l t"]
    rest: Float[np.ndarray, "l t"]
    trace: Float[np.ndarray, "l f"]


@dataclass(frozen=True)
class FacetFlux:
    """Where there is a condition for the flux, and where e = 0; γ and the rate a, zero elsewhere."""

    here: Bool[np.ndarray, " f"]
    held: Bool[np.ndarray, " f"]
    value: Float[np.ndarray, "l f"]
    rate: Float[np.ndarray, " f"]


def carried(
    facets: Facets,
    volumes: Float[np.ndarray, " t"],
    matrix: Float[np.ndarray, "t d1 d1"],
    density: Float[np.ndarray, "l t"],
    reaction: Float[np.ndarray, " t"],
    data: FacetFlux,
) -> Carried:
    """τ for the matrices M, the densities ρ and the rates c. Fluxes of neighbours are made equal; `rest` is what the
    solver left. Where nothing fixes a constant ρ is taken without the mean that fluxes do not balance.
    """
    floats = not data.held.any() and not reaction.any() and not data.rate.any()
    if floats:
        defect = density @ volumes + data.value @ facets.areas
        density = density - defect[:, None] / volumes.sum()
    inverse = np.linalg.inv(matrix)
    rows = inverse.sum(axis=2)
    total = rows.sum(axis=1) + volumes * reaction
    local = inverse - rows[:, :, None] * rows[:, None, :] / total[:, None, None]
    source = rows * (volumes * density / total)[:, :, None]
    trace = _balanced(facets, local, source, data, floats)
    e = trace[:, facets.of]
    pressure = (np.einsum("ti,lti->lt", rows, e) + volumes * density) / total
    flux = _single(facets, np.einsum("tij,ltj->lti", local, e) - source, trace, data)
    rest = density - reaction * pressure + flux.sum(axis=2) / volumes
    return Carried(flux, pressure, rest, trace)


def _balanced(
    facets: Facets, local: np.ndarray, source: np.ndarray, data: FacetFlux, floats: bool
) -> Float[np.ndarray, "l f"]:
    """e, from zero sums of what flows into facets, and a given one where there is a condition for the flux."""
    count, dim = facets.count, facets.nodes.shape[1]
    free = ~data.held
    rhs = facets.areas * data.value + np.stack([np.bincount(facets.of.ravel(), s.ravel(), count) for s in source])
    if floats:
        free[0] = False
    places = np.broadcast_to(facets.of[:, :, None], local.shape), np.broadcast_to(facets.of[:, None, :], local.shape)
    rows, columns = (each.ravel() for each in places)
    matrix = sparse.csr_matrix((local.ravel(), (rows, columns)), shape=(count, count))
    matrix = matrix + sparse.diags_array(facets.areas * data.rate)
    trace = np.zeros((len(source), count))
    if free.any() and rhs[:, free].any():
        trace[:, free] = solve(sparse.csr_matrix(matrix.tocsr()[free][:, free]), rhs[:, free], dim)
    return trace


def _single(facets: Facets, flux: np.ndarray, trace: np.ndarray, data: FacetFlux) -> np.ndarray:
    """With one flux through each facet: the mean of both sides, or what the condition says."""
    times = np.bincount(facets.of.ravel(), minlength=facets.count)
    signed = (facets.sign * flux).reshape(len(flux), -1)
    mean = np.stack([np.bincount(facets.of.ravel(), f, facets.count) for f in signed]) / times
    mean = np.where(data.here, facets.areas * (data.value - data.rate * trace), mean)
    return facets.sign * mean[:, facets.of]
