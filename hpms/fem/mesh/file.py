"""Meshes from files, by meshio: Gmsh's .msh, .vtu, .xdmf, Abaqus' .inp, Medit's .mesh, and others."""

import contextlib
import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

from hpms.errors import ConfigError, UserError, brief, printable
from hpms.fem.mesh.simplices import Simplices, outer_facets

KEY, UNNAMED = "problem.path", "unnamed"
_CELLS = {2: ("triangle", "line"), 3: ("tetra", "triangle")}
_TAGS = ("gmsh:physical", "medit:ref", "cell_tags", "material", "CellEntityIds")
_FLAT, _ON = 1e-9, 1e-9  # of the size of the mesh, and of an element to the power d
_stored: dict[str, Simplices] = {}


def remember(path: str, kept: dict[str, np.ndarray]) -> str:
    """A path behind which this process finds the mesh that a run holds, whose file may be gone or another by now."""
    names = tuple(bytes(kept["mesh_parts"].astype(np.uint8)).decode().split("\n"))
    found = Simplices(kept["mesh_nodes"], kept["mesh_cells"], kept["mesh_facets"], kept["mesh_labels"], names)
    name = f"{path.partition('#')[0]}#{found.digest}"
    _stored[name] = found
    return name


def arrays(mesh: Simplices) -> dict[str, np.ndarray]:
    """What `remember` needs."""
    names = np.frombuffer("\n".join(mesh.parts).encode(), np.uint8)
    return {
        "mesh_nodes": mesh.nodes,
        "mesh_cells": mesh.cells,
        "mesh_facets": mesh.facets,
        "mesh_labels": mesh.labels,
        "mesh_parts": names,
    }


def read_mesh(path: str) -> Simplices:
    """Its triangles, or tetrahedra, with the tagged facets as parts; those without a tag are called `unnamed`.

    A tag is a name of Gmsh's physical groups or of a set of cells, or partN for a number. Raises `ConfigError` where
    there is no such file, it is no mesh, or its elements are not sound: of another shape, inverted, flat, with hanging
    nodes, or with more than two at a facet.
    """
    return _stored[path] if path in _stored else _read(path, _modified(path))


def _modified(path: str) -> int:
    if not Path(path).is_file():
        raise ConfigError(KEY, brief(path), "there is no such file")
    return Path(path).stat().st_mtime_ns


@lru_cache(maxsize=4)
def _read(path: str, modified: int) -> Simplices:
    try:
        import meshio
    except ModuleNotFoundError:
        raise UserError("problem=mesh reads files with meshio: pip install 'hpms[plot]'.") from None
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            found = meshio.read(path)
    except (Exception, SystemExit) as error:
        said = " ".join((printed.getvalue() if isinstance(error, SystemExit) else str(error)).split())[:100]
        reason = "it is no mesh that meshio reads" + (f" ({printable(said.rstrip('.'))})" if said else "")
        raise ConfigError(KEY, brief(path), reason) from None
    points = np.asarray(found.points, float)
    dim = 3 if "tetra" in found.cells_dict else 2
    kind, side = _CELLS[dim]
    if others := sorted(set(found.cells_dict) - {kind, side, "line", "vertex"}):
        reason = f"it has elements of the kind {others[0]}: save it with triangles or tetrahedra with straight edges"
        raise ConfigError(KEY, brief(path), reason)
    if kind not in found.cells_dict:
        raise ConfigError(KEY, brief(path), "it has no triangles and no tetrahedra")
    if points.shape[1] > dim:
        if np.ptp(points[:, dim:], axis=0).max() > _FLAT * np.ptp(points, axis=0).max():
            raise ConfigError(KEY, brief(path), "its triangles do not lie in a plane x3 = constant")
        points = points[:, :dim]
    cells = np.asarray(found.cells_dict[kind], int)
    if cells.min() < 0 or cells.max() >= len(points):
        raise ConfigError(KEY, brief(path), "an element has a corner that is none of its nodes")
    used, number = np.unique(cells, return_inverse=True)
    nodes, cells = points[used], number.reshape(cells.shape)
    _check(path, nodes, cells)
    facets = outer_facets(cells)
    _check_hanging(path, nodes, facets)
    place = np.full(len(points), -1)
    place[used] = np.arange(len(used))
    labels, parts = _labelled(path, found, side, place, facets)
    return Simplices(nodes, cells, facets, labels, parts)


def _check(path: str, nodes: Float[np.ndarray, "n d"], cells: Int[np.ndarray, "t k"]) -> None:
    corners = nodes[cells]
    if not np.isfinite(corners).all():
        raise ConfigError(KEY, brief(path), "it has nodes whose coordinates are not finite")
    signed = np.linalg.det(corners[:, 1:] - corners[:, :1])
    size = np.linalg.norm(corners[:, 1:] - corners[:, :1], axis=2).max(axis=1) ** nodes.shape[1]
    if (flat := np.abs(signed) <= _FLAT * size).any():
        raise ConfigError(KEY, brief(path), f"its element {np.argmax(flat) + 1} is flat")
    count, dim = len(cells), nodes.shape[1]
    sides = np.sort(np.concatenate([np.delete(cells, i, axis=1) for i in range(dim + 1)]), axis=1)
    _, number, times = np.unique(sides, axis=0, return_inverse=True, return_counts=True)
    if times.max() > 2:
        raise ConfigError(KEY, brief(path), f"a facet of it belongs to {times.max()} elements: two are the most")
    order = np.argsort(number.ravel(), kind="stable")
    pairs = order[np.repeat(times == 2, times)].reshape(-1, 2)
    opposite = cells.T.ravel()[pairs]
    corners = nodes[sides[pairs[:, 0]]]
    which = [
        np.linalg.det(np.concatenate([corners, nodes[each][:, None]], axis=1)[:, 1:] - corners[:, :1])
        for each in opposite.T
    ]
    if (folded := which[0] * which[1] > 0).any():
        first = pairs[np.argmax(folded)] % count + 1
        reason = (
            f"its elements {first.min()} and {first.max()} lie on the same side of the facet between them: inverted"
        )
        raise ConfigError(KEY, brief(path), reason)


def _check_hanging(path: str, nodes: Float[np.ndarray, "n d"], facets: Int[np.ndarray, "f d"]) -> None:
    """Raises `ConfigError` where a node lies within a facet of one element alone."""
    corners = nodes[facets]
    middles = corners.mean(axis=1)
    reach = np.linalg.norm(corners - middles[:, None], axis=2).max(axis=1)
    outer = np.unique(facets)
    if twins := KDTree(nodes[outer]).query_pairs(_ON * float(np.ptp(nodes, axis=0).max())):
        place = ", ".join(f"{x:.4g}" for x in nodes[outer[min(twins)[0]]])
        raise ConfigError(KEY, brief(path), f"two of its nodes lie at ({place}): merge them")
    near = KDTree(nodes[outer]).query_ball_point(middles, reach)
    pairs = np.array([(i, outer[k]) for i, each in enumerate(near) for k in each if outer[k] not in facets[i]])
    if not len(pairs):
        return
    spans = np.swapaxes(corners[:, 1:] - corners[:, :1], 1, 2)[pairs[:, 0]]
    apart = nodes[pairs[:, 1]] - corners[pairs[:, 0], 0]
    inner = np.einsum("med,md->me", np.linalg.pinv(spans), apart)
    off = np.linalg.norm(apart - np.einsum("mde,me->md", spans, inner), axis=1)
    inside = (inner > _ON).all(axis=1) & (inner.sum(axis=1) < 1 - _ON) & (off < _ON * reach[pairs[:, 0]])
    if inside.any():
        place = ", ".join(f"{x:.4g}" for x in nodes[pairs[np.argmax(inside), 1]])
        raise ConfigError(KEY, brief(path), f"the node at ({place}) hangs: it lies within the side of an element")


def _labelled(
    path: str, found: Any, side: str, place: Int[np.ndarray, " n"], facets: Int[np.ndarray, "f d"]
) -> tuple[Int[np.ndarray, " f"], tuple[str, ...]]:
    """The part of each facet."""
    names: list[str] = [UNNAMED]
    labels = np.zeros(len(facets), int)
    every = {name: np.concatenate(blocks) for name, blocks in _tagged(found, side).items() if blocks}
    for name, corners in every.items():
        rows = place[corners]
        rows = rows[(rows >= 0).all(axis=1)]
        here = _among(facets, rows)
        if (twice := here & (labels > 0)).any():
            reason = f"a facet of it belongs to {names[labels[np.argmax(twice)]]} and to {name}: give each one tag"
            raise ConfigError(KEY, brief(path), reason)
        if here.any():
            names.append(name)
            labels[here] = len(names) - 1
    kept = np.unique(labels)
    return np.searchsorted(kept, labels), tuple(names[k] for k in kept)


def _among(facets: Int[np.ndarray, "f d"], rows: Int[np.ndarray, "m d"]) -> Bool[np.ndarray, " f"]:
    """Which facets are one of the rows, in any order."""
    known = {tuple(row) for row in np.sort(rows, axis=1).tolist()}
    return np.array([tuple(row) in known for row in np.sort(facets, axis=1).tolist()], bool)


def _tagged(found: Any, side: str) -> dict[str, list[np.ndarray]]:
    """The corners of the facets with each tag."""
    named = {
        int(tag[0]): str(name) for name, tag in found.field_data.items() if int(tag[1]) == (1 if side == "line" else 2)
    }
    every: dict[str, list[np.ndarray]] = {}
    for number, block in enumerate(found.cells):
        if block.type != side:
            continue
        corners = np.asarray(block.data, int)
        for name in (each for each in _TAGS if each in found.cell_data):
            tags = np.asarray(found.cell_data[name][number]).astype(int)
            for tag in np.unique(tags):
                every.setdefault(named.get(int(tag), f"part{tag}"), []).append(corners[tags == tag])
            break
        for name, sets in found.cell_sets.items():
            if not name.startswith("gmsh:") and sets[number] is not None and len(sets[number]):
                every.setdefault(str(name), []).append(corners[np.asarray(sets[number], int)])
    return every
