"""The problems of `small_eps.py`, and how fine meshes on them may be."""

from dataclasses import dataclass

ACCURACIES = (0.05, 0.02)
_FINEST = {("p1", 2): 2000, ("p2", 2): 1000, ("p1", 3): 124, ("p2", 3): 62}  # 4e6 unknowns; in 3-D 10 GB
_FEWEST_PER_EPS = {"p1": 12, "p2": 2}  # too few for the first of `ACCURACIES`
_REFINE = 2**0.5
_POINTS_PER_EPS, _LEAST_POINTS, _MORE = 9, 1.2e7, 1.2


@dataclass(frozen=True)
class Problem:
    """A family of problems with one source; the solution is a `series` where media are layered, and a network
    of `iterations` steps tells errors where neither a series nor a mesh does. Other networks have `most` steps.
    """

    title: str
    overrides: str
    every: tuple[float, ...]
    dim: int = 2
    series: bool = False
    iterations: int | None = 120
    most: int = 200

    def chosen(self, eps: float) -> list[str]:
        """Overrides of `hpms`."""
        return [*self.overrides.split(), f"problem.eps={eps:g}"]

    def bound_points(self, eps: float) -> float:
        """Enough for nine points an ε along each axis."""
        return max(_LEAST_POINTS, _MORE * (_POINTS_PER_EPS / eps) ** self.dim)

    def bound_every(self, eps: float) -> int:
        """Fewer where a bound takes more than some iterations do."""
        return 5 if self.bound_points(eps) == _LEAST_POINTS else 10

    def finest(self, element: str) -> int:
        """Cells along each axis."""
        return _FINEST[element, self.dim]

    def meshes(self, element: str, eps: float) -> list[int]:
        """Cells along each axis, more and more by about √2, up to `finest`."""
        found, finest = [_FEWEST_PER_EPS[element] / eps], self.finest(element)
        while found[-1] < finest:
            found.append(found[-1] * _REFINE)
        return [min(round(cells), finest) for cells in found]


_LOCALLY = "(1+x1*x2/2)*(2.5+sin(2*pi*x1/eps)*cos(2*pi*x2/eps)+0.8*sin(2*pi*(x1+x2)/eps))"
_CUBES = "2.5+sin(2*pi*x1/eps)*sin(2*pi*x2/eps)+0.7*sin(2*pi*(x1+x3)/eps)"
PROBLEMS = {
    "osc2d": Problem("osc2d", "+experiment=osc2d_small", (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)),
    "locally": Problem(
        "locally periodic",
        f"+method=small problem.dim=2 source=osc2d coefficient=expression coefficient.formula='{_LOCALLY}'",
        (0.05, 0.0125, 0.005),
    ),
    "layered2d": Problem(
        "layers in 2-D", "+experiment=layered_small upscaling=auto", (0.1, 0.03, 0.01, 0.003, 0.001), series=True
    ),
    "cubes": Problem(
        "3-D",
        f"+method=small problem.dim=3 coefficient=expression coefficient.formula='{_CUBES}' "
        "coefficient.periods=[eps,eps,eps] source.formula=5",
        (0.2, 0.125, 0.05, 0.02),
        dim=3,
        iterations=None,
        most=80,
    ),
}
