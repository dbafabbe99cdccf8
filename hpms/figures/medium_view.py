"""K in the pixels of Ω, or of slices through it, and larger where one feature lies."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float

_PIXELS, _RESOLVED = 400, 8  # along a map's longer side; pixels that show a feature
_COARSE_PIXELS, _SHIFTS = 100, np.outer(np.arange(50), (0.7548776662, 0.5698402910)) % 1  # a lattice in each of these
_WINDOW = 10  # features
_FEW = 1_000  # points


@dataclass(frozen=True)
class MediumView:
    """K as a function of points (M, d), the sides of Ω, a feature from `low` to `high`, the collocation points in it,
    and the range of K (of its eigenvalues where it is a tensor), below a `heading`.
    """

    heading: str
    coefficient: Callable[[np.ndarray], np.ndarray]
    sides: Float[np.ndarray, " d"]
    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    is_period: bool
    points: Float[np.ndarray, "n d"]
    least: float
    most: float

    @property
    def few(self) -> Float[np.ndarray, "k d"]:
        """Of the points those that are drawn."""
        return self.points[:: -(-len(self.points) // _FEW)] if len(self.points) else self.points

    @property
    def title(self) -> str:
        """That of the feature."""
        what = "one period" if self.is_period else r"a cell of side $\varepsilon$"
        some = f"{len(self.few)} of " if len(self.few) < len(self.points) else ""
        return f"{what}, {some}{len(self.points)} point{'s' * (len(self.points) != 1)}"


@dataclass(frozen=True)
class Plane:
    """Values (n_a, n_b, ...) of K in the pixels of a rectangle from `low` to `high` along two axes."""

    title: str
    axes: tuple[int, int]
    low: np.ndarray
    high: np.ndarray
    values: np.ndarray


def planes(view: MediumView) -> list[Plane]:
    """Ω, or slices through its middle: of a tensor the one across x₃."""
    dim = len(view.sides)
    low, middle = np.zeros(dim), view.sides / 2
    if dim == 2:
        return [_plane(view, r" over $\Omega$", (0, 1), low, view.sides)]
    tensor = view.coefficient(middle[None]).ndim == 3
    found = []
    for axes in [(0, 1)] if tensor else combinations(range(3), 2):
        across = 3 - sum(axes)
        found.append(_plane(view, f" at $x_{across + 1}$ = {middle[across]:.3g}", axes, low, view.sides))
    return found


def zoomed(view: MediumView) -> list[Plane]:
    """Some features where Ω has more than its map can show, and the one with the points."""
    found = []
    if not _is_resolved(view, (0, 1), view.sides):
        half = np.minimum(_WINDOW * (view.high - view.low), view.sides) / 2
        middle = view.sides / 2
        found.append(_plane(view, " in the middle", (0, 1), middle - half, middle + half))
    return [*found, _plane(view, f", {view.title}", (0, 1), view.low, view.high)]


def _plane(view: MediumView, title: str, axes: tuple[int, int], low: np.ndarray, high: np.ndarray) -> Plane:
    """K at the middle of each pixel, or its mean over a lattice in it where features are as small as pixels."""
    extent = (high - low)[list(axes)]
    resolved = _is_resolved(view, axes, high - low)
    if resolved:
        counts, shifts = np.maximum(np.ceil(_PIXELS * extent / extent.max()).astype(int), 20), np.full((1, 2), 0.5)
    else:  # pixels of whole features, lest they beat with the pixels
        small = (view.high - view.low)[list(axes)]
        whole = np.ceil(extent.max() / _COARSE_PIXELS / small) * small
        counts, shifts = np.maximum(np.round(extent / whole).astype(int), 1), _SHIFTS
    pixels = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), axis=-1).reshape(-1, 1, 2)
    places = low[list(axes)] + extent * ((pixels + shifts) / counts).reshape(-1, 2)
    points = np.tile((low + high) / 2, (len(places), 1))
    points[:, axes] = places
    values = view.coefficient(points)
    values = values.reshape(*counts, len(shifts), *values.shape[1:]).mean(axis=2)
    return Plane(title if resolved else f"{title}, means over features", axes, low, high, values)


def _is_resolved(view: MediumView, axes: tuple[int, int], extent: np.ndarray) -> bool:
    small = (view.high - view.low)[list(axes)].min()
    return bool(small * _PIXELS >= _RESOLVED * extent[list(axes)].max())
