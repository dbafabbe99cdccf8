"""What a `run.h5` has to be before anything in it is used: whoever wrote it, nothing in it is trusted."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

from hpms.config.config import GROUPS
from hpms.errors import printable
from hpms.results.upgrade import upgraded
from hpms.training.session import DIVERGED, FINISHED, INTERRUPTED, NAN, RUNNING

FAILED = "failed"
_STATUSES = (RUNNING, FINISHED, INTERRUPTED, NAN, DIVERGED, FAILED)
_NAME, _DIGEST = re.compile(r"[\w.-]{1,200}"), re.compile(r"[0-9a-f]{12}")
_IDENTITY = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{12})?")
_KEY = re.compile(r"[\w.+-]{1,200}")  # a name, or a grey value
_CONFIG_MOST = 100_000  # characters
_ALWAYS = ("status", "reason", "iterations_done", "elapsed_seconds", "compile_seconds")
_WITH_REFERENCE = ("reference_method", "fem_method", "reference_seconds", "fem_seconds")
_WITH_REFERENCE += ("reference_own_l2", "reference_own_h1", "fem_relative_l2", "fem_relative_h1")
_TEXTS = (
    "status",
    "reason",
    "reference_method",
    "fem_method",
    "corrector_method",
    "error_bound_lacks",
    "balance_cells",
)
_WITH_BEST = ("iteration", "residual_loss", "wall_seconds")
_ERRORS = ("relative_l2", "relative_h1")
_MATRICES = ("upscaled_coefficient", "reference_upscaled_coefficient", "fem_upscaled_coefficient")
_MATRICES += ("reference_cell_coefficient", "corrector_upscaled_coefficient")
_LISTS = ("lifted_l2", "lifted_h1", "reference_cell_condition")
_COUNTS = ("iterations_done", "iteration", "least_iteration", "ensemble_members")
_COUNTS += ("error_bound_cells", "error_bound_points", "error_bound_resolved")
_COLUMNS = ("iteration", "residual", "loss", "elapsed_seconds", "compile_seconds")


class _Loader(yaml.SafeLoader):
    """Without aliases, a few of which stand for more values than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("its configuration has aliases")
        return super().compose_node(parent, index)


def digest_name(file: Any) -> str:
    """The attribute by which a file knows K and q again: earlier ones have a `fingerprint` of fewer values."""
    return "digest" if "digest" in file.attrs else "fingerprint"


def check(file: Any) -> dict[str, Any]:
    """The configuration of the open file; raises `ValueError` (or `KeyError`, `TypeError`) where it is not a run."""
    _require(_NAME.fullmatch(_text(file.attrs, "experiment")) and ".." not in file.attrs["experiment"], "experiment")
    for name, pattern in (("identity", _IDENTITY), (digest_name(file), _DIGEST)):
        _require(pattern.fullmatch(_text(file.attrs, name)), name)
    values = _configuration(file)
    dim = values["problem"]["dim"]
    known = values["reference"]["name"] != "none"
    _check_summary(file["summary"].attrs, dim, "best" in file["checkpoint"], known)
    for i in range(len(file["provenance"])):
        for name, value in file[f"provenance/{i}"].attrs.items():
            _require(isinstance(value, str | int | float | np.number), f"provenance/{i}/{name}")
    iterations = _check_metrics(file["metrics"], dim, known)
    _require(file["summary"].attrs["status"] != FINISHED or "best" in file["checkpoint"], "checkpoint/best")
    for name in ("interior", "boundary"):
        _require(_array(file, f"points/{name}", "f", 2, dim).dtype == np.float64, f"points/{name}")
    _require(len(file["points"]) == 2, "points")
    for name in file["network"]:
        _array(file, f"network/{name}", "biuf", None)
    for name in file.get("medium", ()):
        _array(file, f"medium/{name}", "biuf", None)
    _array(file, "coarse/nodes", "f", 2, dim)
    _check_fields(file["fields"], dim, known)
    _check_checkpoints(file["checkpoint"], iterations, file["summary"].attrs["status"] == NAN)
    return values


def _configuration(file: Any) -> dict[str, Any]:
    """The composed configuration: `GROUPS` of plain values, each with the `name` of its option, and the seed."""
    _require(file["config"].shape == () and file["config"].dtype.kind in "SO", "config")
    stored = file["config"][()]
    _require(isinstance(stored, bytes) and len(stored) <= _CONFIG_MOST, "config")
    values = yaml.load(stored.decode(), Loader=_Loader)
    _require(isinstance(values, dict) and all(isinstance(key, str) for key in values), "config")
    values = upgraded(values, int(file.attrs["format"]))
    for group in GROUPS:
        _require(isinstance(values.get(group), dict) and isinstance(values[group].get("name"), str), f"config: {group}")
        _plain(values[group], group)
    _require(_whole(values.get("seed")) and 0 <= values["seed"] < 2**32, "config: seed")
    _require(values["problem"].get("dim") in (1, 2, 3) and _whole(values["problem"]["dim"]), "config: problem.dim")
    eps = values["problem"].get("eps")
    _require(isinstance(eps, float | int) and not isinstance(eps, bool) and 0 < eps < math.inf, "config: problem.eps")
    _require(_whole(values["training"].get("iterations")), "config: training.iterations")
    _require(set(values) <= {*GROUPS, "seed"}, "config")
    return values


def shown(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as plain values, whose texts cannot steer a terminal."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _check_summary(found: Mapping[str, Any], dim: int, best: bool, known: bool) -> None:
    _require(found["status"] in _STATUSES, "summary/status")
    needed = (*_ALWAYS, *(_WITH_REFERENCE if known else ()), *(_WITH_BEST if best else ()))
    for name in (*needed, *(_ERRORS if best and known else ())):
        _require(name in found, f"summary/{name}")
    for name, value in found.items():
        if name in _TEXTS:
            _text(found, name)
            continue
        if name in _MATRICES:
            _require(isinstance(value, np.ndarray) and value.ndim in (2, 3), f"summary/{name}")
            _require(value.shape[-1] in _sizes(dim) and 1 <= value.shape[-2] <= value.shape[-1], f"summary/{name}")
        elif name in _LISTS:
            _require(isinstance(value, np.ndarray) and value.ndim == 1, f"summary/{name}")
        else:
            _require(isinstance(value, np.number | int | float), f"summary/{name}")
        _require(np.asarray(value).dtype.kind in ("iuf" if name in _COUNTS else "f"), f"summary/{name}")
    for name in _COUNTS:
        _require(name not in found or (float(found[name]).is_integer() and found[name] >= 0), f"summary/{name}")
    _require(found.get("ensemble_members", 1) >= 1, "summary/ensemble_members")


def _sizes(dim: int) -> tuple[int, ...]:
    """The entries of a gradient, and those of a strain."""
    return dim, dim * (dim + 1) // 2


def _check_metrics(group: Any, dim: int, known: bool) -> np.ndarray:
    """The logged iterations, which rise."""
    lengths = set()
    for name in group:
        axes = {"upscaled_coefficient": (3, 4)}.get(name, (2,) if name in _LISTS else (1,))
        column = _array(group, name, "iuf", None, finite=False)
        _require(column.ndim in axes, f"metrics/{name}")
        _require(axes != (3, 4) or column.shape[-2:] in [(size, size) for size in _sizes(dim)], f"metrics/{name}")
        lengths.add(len(column))
        _require(name != "coupling_stage" or np.isin(column, (0, 1)).all(), "metrics/coupling_stage")
    if not len(group):
        return np.zeros(0, int)
    _require(len(lengths) == 1 and all(name in group for name in (*_COLUMNS, *(_ERRORS if known else ()))), "metrics")
    iterations = _array(group, "iteration", "iu", 1)
    _require((np.diff(iterations) > 0).all() and (iterations >= 0).all(), "metrics/iteration")
    return iterations


def _check_fields(group: Any, dim: int, known: bool) -> None:
    if not len(group):
        return
    count = len(_array(group, "points", "f", 2, dim))
    nodes = len(_array(group, "nodes", "f", 2, dim)) if "nodes" in group else 0
    for name in ("value", "gradient", "weights", *(("reference_value", "reference_gradient") if known else ())):
        _require(name in group, f"fields/{name}")
    lifts = group["value"].shape[1:]
    _require(len(lifts) < 2, "fields/value")
    for name in group:
        if name == "cells":
            _array(group, name, "f", 3)
            continue
        at_nodes = name in ("nodes", "averages", "coarse_state", "reference_averages", "reference_coarse_state")
        array = _array(group, name, "f", None, finite=False)
        _require(array.ndim > 0 and len(array) == (nodes if at_nodes else count), f"fields/{name}")
        wanted = {"points": (dim,), "nodes": (dim,), "weights": (), "error_bound": ()}.get(name)
        if name in ("von_mises", "reference_von_mises"):
            vectors = math.prod(lifts) // dim
            wanted = () if vectors == 1 else (vectors,)
        if wanted is None:
            wanted = (*lifts, dim) if name in ("gradient", "flux", "stress", "reference_gradient") else lifts
        _require(array.shape[1:] == wanted, f"fields/{name}")


def _check_checkpoints(group: Any, iterations: np.ndarray, broken: bool) -> None:
    latest = group["latest"]
    size = _array(latest, "theta", "f", 1, finite=not broken).shape
    _array(latest, "weights", "f", 1, finite=not broken)
    _require(_array(latest, "iteration", "iu", 0) >= 0, "checkpoint/latest/iteration")
    for name in ("elapsed", "compiling"):
        _require(0 <= float(latest.attrs[name]) < math.inf, f"checkpoint/latest/{name}")
    for name in latest["optimizer"]:
        _array(latest["optimizer"], name, "biuf", None, finite=False)  # a line search begins at infinity
    if "best" in group:
        best = group["best"]
        _require(_array(best, "theta", "f", 1).shape == size, "checkpoint/best/theta")
        _require(_array(best, "iteration", "iu", 0) in iterations, "checkpoint/best/iteration")
        _require(math.isfinite(float(best.attrs["residual"])), "checkpoint/best/residual")


def _array(
    group: Any, name: str, kinds: str, axes: int | None, width: int | None = None, finite: bool = True
) -> np.ndarray:
    """The dataset, if it has a type of `kinds`, so many axes, and so many entries along all but the first."""
    found = group[name]
    _require(found.dtype.kind in kinds and (axes is None or len(found.shape) == axes), f"{group.name}/{name}")
    array = np.asarray(found[()])
    _require(width is None or set(array.shape[1:]) == {width}, f"{group.name}/{name}")
    _require(not finite or array.dtype.kind != "f" or bool(np.isfinite(array).all()), f"{group.name}/{name} (NaN)")
    return array


def _text(found: Mapping[str, Any], name: str) -> str:
    _require(isinstance(found[name], str) and len(found[name]) <= 10_000, name)
    return found[name]


def _plain(value: Any, place: str, depth: int = 4) -> None:
    """Numbers, printable texts, and few levels of lists and mappings of them."""
    _require(depth >= 0, f"config: {place}")
    if isinstance(value, dict):
        for key, inner in value.items():
            _require(isinstance(key, str) and _KEY.fullmatch(key), f"config: {place}")
            _plain(inner, f"{place}.{key}", depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _plain(inner, place, depth - 1)
    elif isinstance(value, str):
        _require(all(c.isprintable() or c in "\n\t" for c in value), f"config: {place}")
    else:
        _require(value is None or isinstance(value, bool | int | float), f"config: {place}")
        _require(
            not isinstance(value, int | float) or abs(value) < (math.inf if isinstance(value, float) else 2**63),
            f"config: {place}",
        )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _require(holds: Any, what: str) -> None:
    if not holds:
        raise ValueError(f"{what.lstrip('/')[:80]} is not what a run has there")
