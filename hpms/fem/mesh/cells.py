"""How fine the meshes of the fine solutions on a meshed domain are."""

from hpms.errors import UserError
from hpms.fem.fine.meshes import DEFAULT_MOST, MOST, RESOLUTION
from hpms.fem.mesh.method import MeshElements


def reference_parts(way: MeshElements, eps: float, h: float | None) -> int:
    """In how many parts n >= 2, a power of two, the reference divides each edge: the fewest whose edges are at most h.

    Without h these are ε/32 (P1: ε/64) long, or as short as 1e6 unknowns (1.25e5 in 3-D) allow. A `UserError` where the
    unknowns are more than 4e6.
    """
    per_eps, most = RESOLUTION[f"p{way.degree}"][1], DEFAULT_MOST[way.dim]
    wanted, n = eps / per_eps if h is None else h, 2
    while _wider(way, n, wanted) and (h is not None or way.size(2 * n) <= most):
        n *= 2
    return _checked(way, n, h)


def baseline_parts(way: MeshElements, h: float) -> int:
    """In how many parts n >= 1, a power of two, the fine FEM beside a network divides each edge: the fewest whose edges
    are at most h, or as many as 1e6 unknowns (1.25e5 in 3-D) allow.
    """
    n = 1
    while _wider(way, n, h) and way.size(2 * n) <= DEFAULT_MOST[way.dim]:
        n *= 2
    return n


def _wider(way: MeshElements, n: int, wanted: float) -> bool:
    return way.width(n) > wanted * (1 + 1e-9) and way.size(n) <= MOST


def _checked(way: MeshElements, n: int, h: float | None) -> int:
    if (unknowns := way.size(n)) > MOST and h is None:
        raise UserError(f"the mesh asks for {unknowns:.2g} unknowns, more than {MOST:.0e}: give a wider one.")
    if unknowns > MOST:
        raise UserError(f"reference.h={h:g} asks for {unknowns:.2g} unknowns, more than {MOST:.0e}: enlarge it.")
    return n
