"""Domains that are simplicial meshes."""

import abc
from dataclasses import dataclass
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from hpms.errors import UserError
from hpms.fem.faces import Face
from hpms.fem.mesh.simplices import Simplices
from hpms.fem.mesh.space import rule
from hpms.problem.conditions import AbstractPlaces
from hpms.problem.domain import AbstractDomain

_PER_EPS, _MOST, _PER_LAYER = 4, {2: 16_000, 3: 24_000}, 3
_ORDER = {1: 3, 2: 4, 3: 2}  # whose weights are positive
_MOST_CELLS = 2_000_000
NEAR = 1e-9  # of the box around Ω: how far from a facet a point of ∂Ω may lie


@dataclass(frozen=True)
class AbstractMeshed(AbstractDomain):
    """Ω, the union of the simplices of a mesh, whose boundary falls into named parts."""

    dim: int
    eps: float

    @property
    @abc.abstractmethod
    def mesh(self) -> Simplices:
        """One with the widest elements that Ω has."""

    @abc.abstractmethod
    def meshed(self, h: float) -> Simplices:
        """One whose edges are about h long."""

    @property
    def places(self) -> "Facets":
        """Where its parts lie."""
        return Facets(self.mesh)

    @property
    def low(self) -> tuple[float, ...]:
        return tuple(self.mesh.low.tolist())

    @property
    def sides(self) -> tuple[float, ...]:
        return tuple(self.mesh.sides.tolist())

    @property
    def volume(self) -> float:
        return self.mesh.volume

    @property
    def surface(self) -> float:
        return self.mesh.surface

    def sample_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        return random_points(key, *_simplices(self.mesh), count)[0]

    def lattice_interior(self, key: PRNGKeyArray, count: int) -> Float[Array, "{count} d"]:
        return _lattice(key, *_simplices(self.mesh), count)

    def lattice_layers(
        self, key: PRNGKeyArray, layer: int, core: int, width: float
    ) -> Float[Array, "{layer}+{core} d"]:
        """The layer are those elements of a fine mesh whose middles lie nearer to ∂Ω."""
        mesh, inside = self._layers(width)
        order = _nested(mesh)
        corners, volumes, inside = (each[order] for each in (*_simplices(mesh), inside))
        keys = jax.random.split(key)
        parts = [
            _lattice(k, corners[here], volumes[here], count)
            for k, here, count in zip(keys, (~inside, inside), (layer, core), strict=True)
        ]
        return jnp.concatenate(parts)

    def core_share(self, width: float) -> float:
        mesh, inside = self._layers(width)
        return float(mesh.volumes[inside].sum() / mesh.volume)

    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        return random_points(key, self.mesh.nodes[self.mesh.facets], self.mesh.areas, count)[0]

    def has(self, points: Float[np.ndarray, "m d"]) -> Bool[np.ndarray, " m"]:
        return self.mesh.locate(points)[0] >= 0

    def probes(self, count: int) -> Float[np.ndarray, "{count} d"]:
        corners, volumes = _simplices(self.mesh)
        random = np.random.default_rng(0)
        chosen = random.choice(len(corners), count, p=volumes / volumes.sum())
        share = random.dirichlet(np.ones(self.dim + 1), count)
        return np.einsum("mi,mid->md", share, corners[chosen])

    def face_points(self, face: Face | str) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        assert isinstance(face, str)
        mesh = self._fine
        return _rule(mesh.nodes[mesh.facets[mesh.on(face)]], mesh.areas[mesh.on(face)])

    @property
    def measuring_cells(self) -> Float[np.ndarray, "t d1 d"]:
        return _simplices(self._fine)[0]

    def measuring_points(self) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        return _rule(*_simplices(self._fine))

    @property
    def _fine(self) -> Simplices:
        """One with four elements along ε, or as many as are soon looked at."""
        return _refined(self.mesh, self.eps / _PER_EPS, _MOST[self.dim])

    def _layers(self, width: float) -> tuple[Simplices, Bool[np.ndarray, " t"]]:
        """A fine mesh, and which of its elements lie deeper."""
        mesh = _refined(self.mesh, width / _PER_LAYER, 4 * _MOST[self.dim])
        if not (deep := _deep(mesh, width)).any():
            raise UserError(
                f"collocation.layer_width={width:g} is not allowed: no point of the domain is as far from its "
                f"boundary; make it less, or take collocation=resampled."
            )
        return mesh, deep


@dataclass(frozen=True)
class MeshFile(AbstractMeshed):
    """Ω as a file has it; finer meshes by halving its elements."""

    coarsest: Simplices

    @property
    def digest(self) -> str:
        return self.coarsest.digest

    @property
    def mesh(self) -> Simplices:
        return self.coarsest

    def meshed(self, h: float) -> Simplices:
        return _refined(self.coarsest, h, _MOST_CELLS)


class Facets(AbstractPlaces):
    """The parts of a mesh's boundary: a point belongs to the facet that it is nearest to."""

    corner: Float[Array, "f d"]
    dual: Float[Array, "f e d"]
    normals: Float[Array, "f d"]
    labels: Int[Array, " f"]
    size: float = eqx.field(static=True)
    parts: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, mesh: Simplices):
        corners = mesh.nodes[mesh.facets]
        spans = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)
        self.corner, self.dual = jnp.asarray(corners[:, 0]), jnp.asarray(np.linalg.pinv(spans))
        self.normals, self.labels = jnp.asarray(mesh.normals), jnp.asarray(mesh.labels)
        self.size, self.parts = float(mesh.sides.max()), mesh.parts

    def on(self, points: Float[Array, "m d"], face: Face | str) -> Bool[Array, " m"]:
        nearest, distance = self._nearest(points)
        assert isinstance(face, str)
        return (self.labels[nearest] == self.parts.index(face)) & (distance < NEAR)

    def normal(self, points: Float[Array, "m d"], face: Face | str) -> Float[Array, "*m d"]:
        return self.normals[self._nearest(points)[0]].astype(points.dtype)

    def _nearest(self, points: Float[Array, "m d"]) -> tuple[Int[Array, " m"], Float[Array, " m"]]:
        """The facet, and how far a point is from it: off its plane, or beyond its edges in barycentric coordinates."""

        def each(x: Float[Array, " d"]) -> tuple[Int[Array, ""], Float[Array, ""]]:
            apart = x - self.corner
            off = jnp.abs(jnp.sum(apart * self.normals, axis=1)) / self.size
            inner = jnp.einsum("fed,fd->fe", self.dual, apart)
            beyond = jnp.maximum(jnp.max(-inner, axis=1), jnp.sum(inner, axis=1) - 1)
            total = jnp.maximum(off, beyond)
            nearest = jnp.argmin(total)
            return nearest, total[nearest]

        return jax.lax.map(each, points, batch_size=256)


@lru_cache(maxsize=16)
def _refined(mesh: Simplices, h: float, most: float) -> Simplices:
    """With edges of at most h, or as many elements as are allowed."""
    while mesh.h > h * (1 + 1e-9) and 2**mesh.dim * len(mesh.cells) <= most:
        mesh = mesh.refined()
    return mesh


def _nested(mesh: Simplices) -> Int[np.ndarray, " t"]:
    """The elements in an order in which parts of one, of whatever size, lie behind each other: a lattice whose points
    are fewer than the elements comes to all parts of Ω.
    """
    levels, wide = 0, mesh
    while wide.parent is not None:
        levels, wide = levels + 1, wide.parent
    return np.arange(len(mesh.cells)).reshape((2**mesh.dim,) * levels + (len(wide.cells),)).T.ravel()


@lru_cache(maxsize=16)
def _deep(mesh: Simplices, width: float) -> Bool[np.ndarray, " t"]:
    """Which elements' middles are not nearer to ∂Ω than `width`: to points on it that are a third of that apart."""
    from scipy.spatial import KDTree

    points, _ = _rule(mesh.nodes[mesh.facets], mesh.areas)
    distance, _ = KDTree(points).query(mesh.nodes[mesh.cells].mean(axis=1))
    return np.asarray(distance) >= width


def _simplices(mesh: Simplices) -> tuple[Float[np.ndarray, "t d1 d"], Float[np.ndarray, " t"]]:
    return mesh.nodes[mesh.cells], mesh.volumes


def _rule(
    corners: Float[np.ndarray, "t k d"], sizes: Float[np.ndarray, " t"]
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Quadrature points and weights on simplices."""
    count, dim = corners.shape[1] - 1, corners.shape[2]
    barycentric, weights = rule(count, _ORDER[count])
    points = np.einsum("qi,tid->tqd", barycentric, corners).reshape(-1, dim)
    return points, (sizes[:, None] * weights).ravel()


def random_points(
    key: PRNGKeyArray, corners: np.ndarray, sizes: np.ndarray, count: int
) -> tuple[Float[Array, "{count} d"], Int[Array, " m"]]:
    """Uniform points on simplices, and the simplex of each."""
    place_key, share_key = jax.random.split(key)
    place = jax.random.uniform(place_key, (count,), dtype=jnp.float64)
    chosen = _chosen(place, sizes)
    share = jax.random.exponential(share_key, (count, corners.shape[1]), dtype=jnp.float64)
    share = share / jnp.sum(share, axis=1, keepdims=True)
    return jnp.einsum("mi,mid->md", share, jnp.asarray(corners)[chosen]), chosen


def _lattice(key: PRNGKeyArray, corners: np.ndarray, sizes: np.ndarray, count: int) -> Float[Array, "{count} d"]:
    """As many on each simplex, to one, as its size wants, there by a Kronecker sequence."""
    edges, ratio = corners.shape[1] - 1, 2.0
    for _ in range(100):
        ratio = (1 + ratio) ** (1 / (edges + 1))
    alpha = jnp.array([ratio**-i for i in range(1, edges + 1)])
    shift = jax.random.uniform(key, (1, edges + 1), dtype=jnp.float64)
    number = jnp.arange(count, dtype=jnp.float64)
    chosen = _chosen((number + shift[0, 0]) / count, sizes)
    place = (shift[:, 1:] + number[:, None] * alpha) % 1.0
    bounds = jnp.concatenate([jnp.zeros((count, 1)), jnp.sort(place, axis=1), jnp.ones((count, 1))], axis=1)
    return jnp.einsum("mi,mid->md", jnp.diff(bounds, axis=1), jnp.asarray(corners)[chosen])


def _chosen(place: Float[Array, " m"], sizes: np.ndarray) -> Int[Array, " m"]:
    """The simplex that lies at a place in (0,1), with all of them behind each other."""
    ends = np.cumsum(sizes) / sizes.sum()
    return jnp.minimum(jnp.searchsorted(jnp.asarray(ends), place, side="right"), len(sizes) - 1)
