"""`hpms reference`: the fine-scale solution by finite elements, and what networks are measured by."""

import logging
from pathlib import Path

import numpy as np

from hpms.cli.invocation import Invocation
from hpms.commands.result import Result
from hpms.config.config import Config
from hpms.config.stated import stated
from hpms.experiment import fine_problem
from hpms.fem.fine.baseline import Baseline
from hpms.fem.fine.reference import Reference
from hpms.machine.runtime import provenance
from hpms.options.reference import needed
from hpms.problem.lifted import LiftedProblem, alone
from hpms.results.hdf5 import atomic_h5, write_arrays, write_attributes
from hpms.results.table import matrix, scientific, table
from hpms.study.fine import find_baseline, find_box_gaps, find_reference
from hpms.study.measure import lifted_reference

log = logging.getLogger(__name__)


def run(invocation: Invocation, config: Config, experiment: str) -> Result:
    """Writes the reference of a configuration's problem."""
    config.runtime.setup(invocation.compilation_cache)
    problem = fine_problem(config)
    assert needed(config.reference)
    log.info("%s", stated(config))
    found = find_reference(config, problem)
    fem, boxes = find_baseline(config, problem, found), find_box_gaps(config, problem, found)
    summary = {
        "method": found.method,
        "h": found.h,
        "unknowns": found.unknowns,
        "upscaled_coefficient": found.upscaled_coefficient,
        "norm_l2": found.norm_l2,
        "norm_h1": found.norm_h1,
        "coarse_norm_l2": found.coarse_norm_l2,
        "consistency_gap": found.consistency_gap,
        "interior_gap": found.interior_gap,
        "frame_gap": found.frame_gap,
        **boxes,
        "delta": found.delta,
        "own_error_l2": found.own_error_l2,
        "own_error_h1": found.own_error_h1,
        "assemble_seconds": found.assemble_seconds,
        "solve_seconds": found.solve_seconds,
        "cached": found.cached,
        "fem_h": fem.h,
        "fem_unknowns": fem.unknowns,
        "fem_relative_l2": fem.relative_l2,
        "fem_relative_h1": fem.relative_h1,
        "fem_upscaled_coefficient": fem.upscaled_coefficient,
        "fem_assemble_seconds": fem.assemble_seconds,
        "fem_solve_seconds": fem.solve_seconds,
    }
    groups = ("problem", "coefficient", "source", "law", "coarse", "upscaling", "coupling", "reference")
    path = Path(invocation.output, "reference", experiment, config.identity(*groups), "reference.h5")
    with atomic_h5(path) as file:
        write_attributes(file.create_group("provenance"), provenance())
        write_attributes(file.create_group("summary"), summary)
        write_arrays(file.create_group("fields"), _fields(config, problem, found))
    return Result(0, f"{_report(found, fem, boxes, config)}\n{path}", (path,))


def _fields(config: Config, problem: LiftedProblem, found: Reference) -> dict[str, np.ndarray]:
    """u, w, the flux -K∇w and y at the points of the errors, and y at the nodes of the configuration's coarse mesh."""
    points, weights = problem.domain.measuring_points()
    value, gradient = lifted_reference(problem, found, points, problem.lifts)
    every = {"value": value, "gradient": gradient, **problem.fields(points, value, gradient)}
    common = {"points": points, "weights": weights, **{name: alone(array) for name, array in every.items()}}
    if problem.conditions is not None:
        return common
    space = config.coarse_space()
    return common | {
        "coarse_value": found.coarse.values(points),
        "nodes": space.nodes,
        "nodal_coarse_value": found.coarse.values(space.nodes),
    }


def _box_rows(boxes: dict[str, float], h: float, upscaling: str) -> list[list[str]]:
    if not boxes:
        return []
    return [
        ["gap ‖Q̄u - y‖/‖u‖, boxes, interior Ω_δ", f"{boxes['box_gap']:.5f}", ""],
        ["  with K̃₁₁ instead of K̃", f"{boxes['box_gap_isotropic']:.5f}", ""],
        [f"  as trained, upscaling={upscaling}, coarse.h={h:.4g}", f"{boxes['box_gap_coarse']:.5f}", ""],
        ["  boundary frame", "not coupled", ""],
    ]


def _report(found: Reference, fem: Baseline, boxes: dict[str, float], config: Config) -> str:
    coarse = [
        ["‖y‖ in L²", f"{found.coarse_norm_l2:.9f}", ""],
        [f"gap ‖Q̄u - y‖/‖u‖, balls, δ = {found.delta:.4g}", f"{found.consistency_gap:.5f}", ""],
        ["  interior, boundary frame", f"{found.interior_gap:.5f}, {found.frame_gap:.5f}", ""],
        *_box_rows(boxes, config.coarse.h, config.names["upscaling"]),
    ]
    if config.law.takes_moduli:
        coarse = []
    symbol, name = config.law.symbol, "u"
    upscaled = [[f"upscaled {symbol}", matrix(found.upscaled_coefficient), matrix(fem.upscaled_coefficient)]]
    if not config.problem.is_the_papers:
        upscaled, coarse, name = [], [], "w"
    rows = [
        *upscaled,
        [f"‖{name}‖ in L²", f"{found.norm_l2:.9f}", ""],
        [f"‖∇{name}‖ in L²", f"{found.norm_h1:.8f}", ""],
        *coarse,
        ["relative L² error", f"{scientific(found.own_error_l2)} (estimated)", scientific(fem.relative_l2)],
        ["relative H¹ error", f"{scientific(found.own_error_h1)} (estimated)", scientific(fem.relative_h1)],
        ["mesh width h", f"{found.h:.4g}", f"{fem.h:.4g}"],
        ["unknowns", str(found.unknowns), str(fem.unknowns)],
        ["seconds to assemble", f"{found.assemble_seconds:.3f}", f"{fem.assemble_seconds:.3f}"],
        ["seconds to solve", f"{found.solve_seconds:.3f}", f"{fem.solve_seconds:.3f}"],
    ]
    method = {"exact": "exact quadrature", "p1": "P1", "p2": "P2", "layered": "series"}[found.method]
    cached = " (from the cache)" if found.cached else ""
    return table(["", f"reference: {method}{cached}", "fine FEM: P1"], rows)
