"""The reference solution of a problem: what every result is measured against."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from hpms.fem.elastic.problem import UnitStrains
from hpms.fem.field import AbstractField, side_by_side
from hpms.fem.fine import cache
from hpms.fem.fine.average import consistency_gaps
from hpms.fem.fine.meshes import layered_nodes, method_name, reference_cells
from hpms.fem.fine.method import AbstractMethod, choose
from hpms.fem.fine.mixed import BoxProblem
from hpms.fem.fine.posed import Posed, longest_side
from hpms.fem.mesh.cells import reference_parts
from hpms.fem.mesh.method import MeshElements
from hpms.fem.sample import Function
from hpms.fem.validation import ratio

log = logging.getLogger(__name__)
TOLD = 50_000  # unknowns from which on a line says what is computed


@dataclass(frozen=True)
class Reference:
    """u = u_1, y and what is known of them, and all d lifted solutions u_i = w_i - x_i.

    `upscaled_coefficient` K̃ (d, d), `norm_l2` = ‖u‖, `norm_h1` = ‖∇u‖, `coarse_norm_l2` = ‖y‖ and ‖Q̄_δ u - y‖/‖u‖ in
    the interior and in the boundary frame (all NaN where K̃₁₁ <= 0), where y solves -∇·(K̃₁₁ ∇y) = q on the same mesh.
    `own_error_l2` and `own_error_h1` estimate the relative errors of u itself from a mesh twice as wide. Of vectors
    these and the norms are of all fields together. The seconds are those of all d lifted solutions when they were
    computed, `h` is the mesh (or panel) width; `cached` says that a file held it all.
    """

    method: str
    upscaled_coefficient: Float[np.ndarray, "d d"]
    norm_l2: float
    norm_h1: float
    coarse_norm_l2: float
    interior_gap: float
    frame_gap: float
    delta: float
    assemble_seconds: float
    solve_seconds: float
    unknowns: int
    h: float
    own_error_l2: float
    own_error_h1: float
    cached: bool
    lifted: tuple[AbstractField, ...]
    coarse: AbstractField

    @property
    def fine(self) -> AbstractField:
        """u."""
        return self.lifted[0]

    @property
    def consistency_gap(self) -> float:
        """‖Q̄_δ u - y‖/‖u‖ over all of Ω."""
        return math.hypot(self.interior_gap, self.frame_gap)

    def evaluate(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m d"]]:
        """u (M,) and ∇u (M, d) at M points of [0,1]^d; `ValueError` for points outside."""
        return self.fine.evaluate(points)

    def evaluate_lifted(
        self, points: Float[np.ndarray, "m d"], lifts: int
    ) -> tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]]:
        """u_i and ∇u_i, i = 1..l, at M points of [0,1]^d."""
        return side_by_side(self.lifted[:lifts], points)


def reference(
    dim: int,
    eps: float,
    coefficient: Function,
    source: Function,
    *,
    method: Literal["auto", "exact", "p1", "p2", "layered"],
    h: float | None,
    periods: tuple[float, ...] | None = None,
    box: Posed | None = None,
    delta: float,
    cache_dir: str | Path,
    key: str,
) -> Reference:
    """The reference of the lifted problem (4.11), from `<cache_dir>/<key>.h5` where that file holds it.

    **Arguments:** d, ε, K and q (points (M, d) to (M,)); `method`: exact (quadrature, 1-D), p2, p1, auto (exact in 1-D
    and p2 otherwise), or layered (K(x₁) with `periods`, constant q, not in 1-D, which is not checked here); the mesh
    width h, None for ε/32 (p1: ε/64) or what 1e6 unknowns allow (1.25e5 in 3-D), and for layered a 384th of the period;
    δ of the averages; and a `key` that names all of this but δ. With conditions on a `box` or a mesh the only field is
    w itself, and K̃, y and the gaps are NaN; on a mesh auto is p2, and h bounds its edges; in elasticity w has d
    fields, its components, K is λ and μ (M, 2) and q has d columns; of all unit strains the fields are those of
    w_l - E_l x behind each other, and K̃ is a stiffness. Raises `ValueError` for a
    method that does not go with d or a mesh, `UserError` for a mesh too fine, a medium that is not positive and finite,
    or a fine solver that fails.
    """
    name = method_name(method, dim, box is not None and (not isinstance(box, BoxProblem) or box.reacts))
    way = choose(name, dim, periods, box)
    if isinstance(way, MeshElements):
        n, where = reference_parts(way, eps, h), f" {way.problem.mesh.digest}"
    elif name == "layered" and periods:
        n, where = layered_nodes(periods[0], h), ""
    else:
        where = " norms of all fields" if isinstance(box, UnitStrains) else ""
        n = reference_cells(dim, eps, name, h, longest_side(box), way.components)
    path, mark = Path(cache_dir) / f"{key}.h5", f"{key} reference {dim} {eps!r} {name} {n}{where}"
    stored = cache.load(path, mark, _stored())
    if stored is None and (unknowns := way.size(n)) > TOLD:
        log.info("computing the reference: %s unknowns", f"{unknowns:,.0f}")
    found = _compute(name, way, n, coefficient, source) if stored is None else _unpack(stored, name, way, n)
    if found.delta != delta:
        known = found.upscaled_coefficient[0, 0] > 0 and way.components == 1
        gaps = consistency_gaps(found.fine, found.coarse, delta, eps) if known else (math.nan, math.nan)
        found = replace(found, delta=delta, interior_gap=gaps[0], frame_gap=gaps[1])
        cache.save(path, mark, _pack(found))
    return found


def _compute(name: str, way: AbstractMethod, n: int, coefficient: Function, source: Function) -> Reference:
    solution, wide = way.solve(n, coefficient, source), way.solve(n // 2, coefficient, source)
    upscaled = solution.upscaled_coefficient
    pairs = list(zip(solution.lifted, wide.lifted, strict=True))[: 1 if way.components == 1 else None]
    norms = _together([field.norms() for field, _ in pairs])
    errors = _together([way.own_errors(n, *pair) for pair in pairs])
    own = [ratio(error, size) for error, size in zip(errors, norms, strict=True)]
    coarse = way.state(n, source, float(upscaled[0, 0]))
    return Reference(
        method=name,
        upscaled_coefficient=upscaled,
        norm_l2=norms[0],
        norm_h1=norms[1],
        coarse_norm_l2=coarse.norms()[0] if upscaled[0, 0] > 0 else math.nan,
        interior_gap=math.nan,
        frame_gap=math.nan,
        delta=math.nan,
        assemble_seconds=solution.assemble_seconds,
        solve_seconds=solution.solve_seconds,
        unknowns=solution.unknowns,
        h=way.width(n),
        own_error_l2=own[0],
        own_error_h1=own[1],
        cached=False,
        lifted=solution.lifted,
        coarse=coarse,
    )


def _together(norms: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Those in L² and in H¹ of all fields, from those of each."""
    l2, h1 = zip(*norms, strict=True)
    return math.hypot(*l2), math.hypot(*h1)


def _stored() -> list[str]:
    return [f.name for f in fields(Reference) if f.name not in ("method", "cached")]


def _pack(found: Reference) -> dict[str, np.ndarray]:
    values = {name: getattr(found, name) for name in _stored()}
    fields = {"lifted": np.stack([field.data for field in found.lifted]), "coarse": found.coarse.data}
    return {k: np.asarray(v) for k, v in (values | fields).items()}


def _unpack(stored: dict[str, np.ndarray], name: str, way: AbstractMethod, n: int) -> Reference:
    values: dict[str, Any] = {key: value.item() if value.ndim == 0 else value for key, value in stored.items()}
    values |= {"lifted": tuple(way.field(n, data) for data in stored["lifted"])}
    values |= {"coarse": way.field(n, stored["coarse"])}
    return Reference(**values, method=name, cached=True)
