"""The fields of a run as meshes for ParaView, by meshio."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hpms.errors import UserError
from hpms.figures.grid import TensorGrid
from hpms.figures.record import STRESSES, Record

NAME, FORMATS = "fields", ("vtu", "xdmf")
_DATA = ("value", "gradient", "w", "flux", "reference_value", "reference_gradient")
_CELLS = {1: "line", 2: "quad", 3: "hexahedron"}


def write_mesh(run: Record, folder: Path, suffix: str) -> Path:
    """Writes `folder/fields.vtu`, or `fields.xdmf` with its `fields.h5`: v, ∇v, w = v + x_i, -K∇w, and with a reference
    u, v - u, ∇u, of each lifted problem, numbered where there are several; in
    elasticity displacement and stress as a vector and a tensor; and the bound of the error per volume, where
    it was taken.

    Neighbouring points are joined to segments, quadrilaterals or hexahedra; on a domain that is a mesh its simplices
    have the means of their points; the third coordinate is 0 where there is
    none. Raises `UserError` where meshio is missing or the run has no fields yet.
    """
    if importlib.util.find_spec("meshio") is None:
        raise UserError(f"--format={suffix} needs meshio, which is not installed: pip install 'hpms[plot]' brings it.")
    if not run.fields:
        raise UserError(f"{run.stored.path} has no fields yet for --format={suffix}: let the run log an iteration.")
    import meshio

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.{suffix}"
    data: dict[str, Any] = {}
    points, count = run.fields["points"], run.every["value"][0].size
    if "stress" in run.every:
        data, count = _elastic(run.every, run.dim), 0
    for i in range(count):
        every = {name: run.every[name] for name in _DATA if name in run.every}
        found = {name: array.reshape(len(points), count, -1)[:, i] for name, array in every.items()}
        number = f"_{i + 1}" if count > 1 else ""
        data |= {f"value{number}": found["value"][:, 0], f"gradient{number}": _three(found["gradient"])}
        if "flux" in found:  # not in the files of earlier formats
            data |= {f"w{number}": found["w"][:, 0], f"flux{number}": _three(found["flux"])}
        if run.has_reference:
            data |= {
                f"reference_value{number}": found["reference_value"][:, 0],
                f"error{number}": (found["value"] - found["reference_value"])[:, 0],
                f"reference_gradient{number}": _three(found["reference_gradient"]),
            }
    if "error_bound" in run.every:
        data["error_bound"] = run.every["error_bound"]
    if "cells" in run.fields:
        return _write_simplices(run.fields["cells"], data, path)
    cells: list = [(_CELLS[run.dim], TensorGrid.of(points).cells())]
    meshio.write(path, meshio.Mesh(_three(points), cells, point_data=data))
    return path


def _elastic(every: Mapping[str, np.ndarray], dim: int) -> dict[str, np.ndarray]:
    """Displacement and stress as a vector and a tensor, and von Mises' stress, beside those of the reference; of each
    unit strain, with its number, where there are several.
    """
    stress, data, size = every["stress"], {}, len(every["w"])
    vectors = stress.shape[1] // dim
    mises = {name: every[name].reshape(size, vectors) for name in STRESSES if name in every}
    for k in range(vectors):
        number, part = f"_{k + 1}" if vectors > 1 else "", slice(k * dim, (k + 1) * dim)
        tensor = np.pad(stress[:, part], [(0, 0), *[(0, 3 - dim)] * 2])
        data |= {f"displacement{number}": _three(every["w"][:, part]), f"stress{number}": tensor.reshape(size, 9)}
        data |= {f"{name}{number}": values[:, k] for name, values in mises.items()}
        if "reference_value" in every:
            error = (every["value"] - every["reference_value"])[:, part]
            data |= {f"reference_displacement{number}": _three(every["w"][:, part] - error)}
            data |= {f"error{number}": _three(error)}
    return data


def _write_simplices(cells: np.ndarray, data: dict[str, np.ndarray], path: Path) -> Path:
    """Of a domain that is a mesh: the means over its simplices."""
    import meshio

    count, corners = cells.shape[:2]
    nodes, numbers = np.unique(cells.reshape(count * corners, -1), axis=0, return_inverse=True)
    means = {name: [array.reshape(count, -1, *array.shape[1:]).mean(axis=1)] for name, array in data.items()}
    kind: list = [({3: "triangle", 4: "tetra"}[corners], numbers.reshape(count, corners))]
    meshio.write(path, meshio.Mesh(_three(nodes), kind, cell_data=means))
    return path


def _three(vectors: np.ndarray) -> np.ndarray:
    return np.pad(vectors, [(0, 0), (0, 3 - vectors.shape[1])])
