"""A fine P1 solution, the baseline beside every network: what finite elements achieve, and in what time."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from hpms.fem.field import AbstractField, side_by_side
from hpms.fem.fine import cache
from hpms.fem.fine.meshes import baseline_cells
from hpms.fem.fine.method import choose
from hpms.fem.fine.posed import Posed, longest_side
from hpms.fem.fine.reference import TOLD
from hpms.fem.fine.solve import solve_fine
from hpms.fem.grid import corners, cubes
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.mesh.cells import baseline_parts
from hpms.fem.mesh.method import MeshElements
from hpms.fem.mesh.problem import MeshProblem
from hpms.fem.mesh.space import cell_points
from hpms.fem.sample import Function
from hpms.fem.validation import relative_errors

log = logging.getLogger(__name__)
_ORDER = 5
_MOST_SAMPLES = 2_000_000
_SHARE = 2  # of the points at which fields can be asked for values are those for gradients too


@dataclass(frozen=True)
class Baseline:
    """The relative errors of u_1, ..., u_l together (as in `relative_errors`), the first l rows of K̃, the seconds of
    assembly and solve, the number of unknowns, and the actual h; `cached` says that a file held it all.
    """

    relative_l2: float
    relative_h1: float
    upscaled_coefficient: Float[np.ndarray, "l d"]
    assemble_seconds: float
    solve_seconds: float
    unknowns: int
    h: float
    cached: bool


def baseline(
    dim: int,
    coefficient: Function,
    source: Function,
    *,
    h: float,
    exact: Sequence[AbstractField],
    box: Posed | None = None,
    cache_dir: str | Path,
    key: str,
) -> Baseline:
    """The P1 solutions u_h of the lifted problems (4.11) with n = round(1/h) cells per axis, against `exact`; on a mesh
    with edges of at most h.

    From `<cache_dir>/<key>_p1_<l>.h5` where that file holds it, with the seconds as first measured. **Arguments:** d, K
    and q (points (M, d) to (M,)), h, the reference's l fields, and a `key` that names all of these. Raises `UserError`
    as `solve_fine` does, and where h asks for more than 4e6 unknowns.
    """
    way, longest = choose("p1", dim, box=box), longest_side(box)
    if isinstance(way, MeshElements):
        n, where = baseline_parts(way, h), f" {way.problem.mesh.digest}"
    else:
        n, where = baseline_cells(dim, h, longest), ""
    path, mark = Path(cache_dir) / f"{key}_p1_{len(exact)}.h5", f"{key} baseline {dim} {n} {len(exact)}{where}"
    names = [f.name for f in fields(Baseline) if f.name != "cached"]
    if (stored := cache.load(path, mark, names)) is not None:
        values: dict[str, Any] = {k: v.item() if v.ndim == 0 else v for k, v in stored.items()}
        return Baseline(**values, cached=True)
    if (unknowns := way.size(n)) > TOLD:
        log.info("computing the fine FEM: %s unknowns", f"{unknowns:,}")
    if box is None:
        solution = solve_fine(LagrangeSpace(dim, n, 1), coefficient, source, lifts=len(exact))
    else:
        solution = way.solve(n, coefficient, source)
    most = min(field.most_points for field in exact) / _SHARE
    if isinstance(way, MeshElements):
        points, weights = cell_points(way.mesh(n), _ORDER, min(_MOST_SAMPLES, most))
    else:
        points, weights = element_rule(LagrangeSpace(dim, n, 1), most)
        points = points * np.array((1.0,) * dim if box is None or isinstance(box, MeshProblem) else box.sides)
    found_there, known_there = (side_by_side(fields, points) for fields in (solution.lifted[: len(exact)], exact))
    errors = relative_errors(*found_there, *known_there, weights)
    upscaled = solution.upscaled_coefficient
    found = Baseline(
        *errors,
        upscaled,
        solution.assemble_seconds,
        solution.solve_seconds,
        solution.unknowns,
        h=way.width(n),
        cached=False,
    )
    cache.save(path, mark, {name: np.asarray(getattr(found, name)) for name in names})
    return found


def element_rule(
    space: LagrangeSpace, most_points: float = _MOST_SAMPLES
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Quadrature inside the elements of all cubes; of as many random ones as 2e6 points (or `most_points`) allow where
    that is less.
    """
    barycentric, weights = space.rule(_ORDER)
    kinds, every = len(corners(space.dim)), cubes(space.dim, space.n)
    most = max(1, int(min(_MOST_SAMPLES, most_points)) // (kinds * len(weights)))
    if len(every) > most:
        every = every[np.random.default_rng(0).choice(len(every), most, replace=False)]
    points = np.stack([space.places(barycentric, every, simplex) for simplex in range(kinds)])
    share = np.broadcast_to(weights * (space.n**space.dim / len(every)), points.shape[:-1])
    return points.reshape(-1, space.dim), share.ravel()
