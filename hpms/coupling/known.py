"""What is known of the exact solutions, for a coupling to be measured by."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from hpms.coupling.coarse import coarse_problem, unstacked
from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine.cells import CellMeans, cell_means
from hpms.fem.fine.reference import Reference
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.fem.validation import ratio
from hpms.problem.lifted import LiftedProblem


@runtime_checkable
class Upscales(Protocol):
    """How K̃ comes from fine solutions."""

    is_constant: ClassVar[bool]

    def cells_along(self, dim: int) -> tuple[int, ...]:
        """The numbers of cells along each axis."""
        ...

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        """K̃^j (N, a, b) of a fine solution with K̃ (a, b), and means where there are cells."""
        ...


@dataclass(frozen=True)
class Known:
    """The reference of a problem, and the coarse `space` on which its upscaled coefficient is used."""

    problem: LiftedProblem
    reference: Reference
    upscaling: Upscales
    space: P1Space

    @property
    def lifted(self) -> tuple[AbstractField, ...]:
        """u_i, i = 1..l, of the problems that are solved."""
        return self.reference.lifted[: self.problem.lifts]

    @cached_property
    def means(self) -> CellMeans | None:
        """What K̃^j of cells comes from, None where there is one."""
        if self.upscaling.is_constant:
            return None
        domain = self.problem.domain
        cells = self.upscaling.cells_along(domain.dim)
        return cell_means(self.reference.lifted, self.problem.coefficient_at(), cells, domain.eps)

    @cached_property
    def tensors(self) -> Float[np.ndarray, "n a b"]:
        """K̃^j of the reference, as the network's is defined; raises `UserError` where its means determine none."""
        return self.upscaling.exact(self.reference.upscaled_coefficient, self.means)

    @property
    def is_fine(self) -> bool:
        """Whether the reference has the coarse state on its own fine mesh: where K̃ = K̃₁₁ I."""
        return self.upscaling.is_constant and self.problem.lifts == 1

    @cached_property
    def states(self) -> Float[np.ndarray, "k l"] | None:
        """y_i at the nodes of `space`, None where K̃ is not positive definite."""
        cells, components = self.upscaling.cells_along(self.problem.domain.dim), self.problem.law.components
        problem, kappa = coarse_problem(self.problem, self.space, None, cells), self.tensors.ravel()
        if not problem.is_admissible(kappa):
            return None
        lift = problem.lift(self.problem.lifts // components)
        return unstacked(problem.factorise(kappa).state(lift) - lift, components)

    def coarse(self) -> tuple[AbstractField, ...] | None:
        """The coarse states y_i as functions, None where there are none."""
        if self.is_fine:
            return (self.reference.coarse,) if self.reference.upscaled_coefficient[0, 0] > 0 else None
        lagrange = LagrangeSpace(self.space.dim, self.space.n, 1)
        return None if self.states is None else tuple(LagrangeField(lagrange, y) for y in self.states.T)

    def together(self, gaps: list[float]) -> float:
        """The gap of all u_i, from that of each relative to ‖u_i‖."""
        norms = np.array([field.norms()[0] for field in self.lifted])
        return ratio(float(np.linalg.norm(norms * np.array(gaps))), float(np.linalg.norm(norms)))
