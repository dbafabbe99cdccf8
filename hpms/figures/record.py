"""What a run file offers to a figure."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hpms.figures.grid import meshes
from hpms.results.run import StoredRun

STRESSES = ("von_mises", "reference_von_mises")  # one number at each point for all components of a w
_FIRST, _LAST, _LOGGED = "residual", "coupling", "weighted_"


@dataclass(frozen=True)
class Record:
    """One run: its `history` (name to one row per logged iteration), and `every` field, empty where there are none."""

    stored: StoredRun
    history: dict[str, np.ndarray]
    every: dict[str, np.ndarray]

    @property
    def has_lifted(self) -> bool:
        """Whether there are several lifted problems, or components of w."""
        return np.ndim(self.every["value"]) > 1 if self.every else "lifted_l2" in self.history

    @cached_property
    def fields(self) -> dict[str, np.ndarray]:
        """Those of the first lifted problem or component; of w in place of u with conditions of one's own."""
        places = ("points", "weights", "nodes", "cells", "error_bound")
        places += tuple(name for name in STRESSES if name in self.every and self.every[name].ndim == 1)
        first = {name: array[:, 0] for name, array in self.every.items() if self.has_lifted and name not in places}
        found = self.every | first
        if not self.has_own_conditions or "w" not in found:
            return found
        total = {"value": found["w"]}
        if "reference_value" in found:
            total["reference_value"] = found["reference_value"] + (found["w"] - found["value"])
        return found | total

    @property
    def upscaled_letter(self) -> str:
        """C of a stiffness, else K."""
        return "C" if self.stored.values.get("upscaling", {}).get("name") == "stiffness" else "K"

    @property
    def has_own_conditions(self) -> bool:
        """Whether it is not w_i = x_i on the boundary of the unit cube that was solved."""
        problem = self.stored.values["problem"]
        return problem.get("conditions", "linear") != "linear" or set(self.sides) != {1.0} or "parts" in problem

    @property
    def sides(self) -> tuple[float, ...]:
        """The lengths of the domain along the axes."""
        return tuple(self.stored.values["problem"].get("sides") or (1.0,) * self.dim)

    @property
    def dim(self) -> int:
        return int(self.stored.values["problem"]["dim"])

    @property
    def summary(self) -> dict[str, Any]:
        return self.stored.summary

    @cached_property
    def iterations(self) -> np.ndarray:
        return self.column("iteration")

    @cached_property
    def seconds(self) -> np.ndarray:
        """Since the start, with compilation; a member of an ensemble has its share of the time of all."""
        spent = self.column("elapsed_seconds") + self.column("compile_seconds")
        return spent / self.stored.members

    @property
    def terms(self) -> list[str]:
        """The terms of the loss, the residual first and the coupling last."""
        found = sorted(name.removeprefix(_LOGGED) for name in self.history if name.startswith(_LOGGED))
        return sorted(found, key=lambda name: (name != _FIRST, name == _LAST))

    @property
    def has_reference(self) -> bool:
        """Whether the fields have what the network is measured by."""
        return "reference_value" in self.fields

    @property
    def has_errors(self) -> bool:
        """Whether errors or bounds of them were logged."""
        return bool(self.column("relative_l2").size or np.isfinite(self.column("relative_error_bound")).any())

    def column(self, name: str) -> np.ndarray:
        """A column of the history, empty where it is missing."""
        return np.asarray(self.history.get(name, ()), float)

    def number(self, name: str) -> float:
        """A number of the summary, NaN where it is missing."""
        return float(self.summary.get(name, np.nan))

    @cached_property
    def coarse(self) -> dict[str, np.ndarray]:
        """The fields at the coarse `nodes`, of the coupling that was at work where there are several; may be empty."""
        names = ("nodes", "averages", "coarse_state", "reference_averages", "reference_coarse_state")
        found = {name: self.fields[name] for name in names if name in self.fields}
        if "nodes" not in found:
            return {}
        every = meshes(found["nodes"])
        stages = self.column("coupling_stage")
        stage = stages[self.iterations == self.number("iteration")] if stages.size else stages
        here = every[min(int(stage[-1]), len(every) - 1) if stage.size and np.isfinite(stage[-1]) else -1]
        return {name: array[here] for name, array in found.items()}


def record(stored: StoredRun, fields: dict[str, np.ndarray] | None = None) -> Record:
    """Of a run, with its own fields or those computed from a checkpoint."""
    return Record(stored, stored.history(), stored.fields() if fields is None else fields)
