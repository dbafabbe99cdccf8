"""-∇·(K∇w) + c w = q in a domain, with conditions of one's own, as a Python program poses it."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from hpms.cli.compose import composed
from hpms.config.config import Config, read_config
from hpms.config.registry import load_named
from hpms.errors import UserError, brief
from hpms.machine.runtime import flags
from hpms.named import described, remember
from hpms.posed.conditions import datum, plain_conditions, shown
from hpms.posed.domain import AbstractDomain
from hpms.posed.fields import field
from hpms.problem.digest import digest
from hpms.problem.point_function import PointFunction

_UNKNOWN, _OURS = "0" * 12, ("problem", "law", "coefficient", "source", "experiment")
_METHODS = ("problem.tau", "problem.singular")


class Problem:
    """-∇·(K∇w) + c w = q in Ω, with a condition on each part of ∂Ω.

    **Arguments:** `domain`, `hpms.Box(2, 1)` or `hpms.Polygon([(0, 0), (2, 0), (0, 1)])`; `eps`, the fine length scale
    ε of K; `coefficient` K > 0 and `source` q, each a number, a formula of x1, x2, x3 and eps, a function of one point
    x (d,) that JAX can trace, the name of an option, such as "layered", or that with keys of its own,
    {"name": "layered", "low": 1}; `conditions`, a mapping of the parts of ∂Ω to `hpms.Dirichlet(g)`, `Neumann(g)`,
    `Robin(a, g)` or `Periodic()`, or "linear", w = x₁ on ∂Ω; parts are left, right (x₁ = 0, s₁), bottom, top (x₂),
    front, back (x₃) of a box, edge1, ..., hole1, ... and its own names of a polygon, and `all`, those that are not
    named; `periods`, the lengths after which K repeats along each axis, where it does; `reaction`, c >= 0, a number,
    formula or function, None for 0.
    K may also be an array, as `coefficient=image` reads it, and a function for K may have a symmetric matrix (d, d) as
    its value. Raises `UserError` for what is none of these.
    """

    def __init__(
        self,
        *,
        domain: Any,
        eps: Any,
        coefficient: Any,
        source: Any,
        conditions: Any,
        periods: Sequence[float | str] | None = None,
        reaction: Any = None,
    ):
        if not isinstance(domain, AbstractDomain):
            example = "hpms.Box(2, 1), or hpms.Polygon([(0, 0), (2, 0), (0, 1)])"
            raise UserError(f"domain={brief(repr(domain))} is not allowed: give a box, such as {example}.")
        if isinstance(eps, bool) or not isinstance(eps, int | float) or not 0 < eps < math.inf:
            raise UserError(f"eps={eps!r} is not allowed: it is a length, a number greater than 0.")
        self.domain, self.eps, self.conditions = domain, float(eps), conditions
        self.coefficient, self.source, self.reaction = coefficient, source, reaction
        if not (periods is None or (isinstance(periods, list | tuple | np.ndarray) and np.ndim(periods) == 1)):
            example = ", ".join(["eps"] * domain.dim)
            raise UserError(
                f"periods={brief(periods)} is not allowed: give one length for each axis, [{example}], or None."
            )
        self._fields = field("coefficient", coefficient, periods), field("source", source)
        self._name_functions(self._traced)
        domain.check(self.eps, plain_conditions(conditions, self._unknown))

    def config(self, *overrides: str, config_dir: str | Path | None = None) -> Config:
        """The configuration of this problem with a method and other overrides, such as `"+method=fast"`, `"seed=1"`.

        Options may have their files in `config_dir`, too. Its functions are known in this process from here on. Raises
        `UserError` for what is not allowed.
        """
        for each in overrides:
            key = each.partition("=")[0].lstrip("+~")
            if key.partition(".")[0] in _OURS and key not in _METHODS:
                raise UserError(f"{each} is not allowed beside a problem, which says that: change hpms.Problem.")
        options = [option for each in self._fields for option in each.overrides]
        chosen = composed("train", f"problem={self.domain.option}", *options, *overrides, beside=config_dir)
        load_named(chosen)
        draft = read_config(self._values(chosen, self._unknown))
        with flags(draft):
            return read_config(self._values(chosen, self._known))

    def remember(self) -> None:
        """Lets this process find its functions again, where a run names them; JAX has to have float64."""
        self._name_functions(self._known)

    def __repr__(self) -> str:
        conditions = self.conditions if isinstance(self.conditions, Mapping) else {"all": "w = x1"}
        given = [*zip("Kq", self._fields, strict=True), *conditions.items()]
        reaction = "" if self.reaction is None else f" + ({shown(self.reaction)}) w"
        lines = [f"  {name}: {each}" for name, each in given]
        return "\n".join([f"Problem: -∇·(K∇w){reaction} = q in {self.domain.described}, eps = {self.eps:g}", *lines])

    def _values(self, chosen: Mapping[str, Any], name: Callable[[Any, str], str]) -> dict[str, Any]:
        """The composed values with this problem in its groups."""
        conditions = plain_conditions(self.conditions, name)
        posed = {"dim": self.domain.dim, "eps": self.eps, **self.domain.values, "conditions": conditions}
        return {
            **chosen,
            "problem": chosen["problem"] | posed,
            **{each.group: each.values(chosen.get(each.group, {}), name) for each in self._fields},
            "law": chosen["law"] | self._plain_reaction(name),
        }

    def _plain_reaction(self, name: Callable[[Any, str], str]) -> dict[str, Any]:
        return {} if self.reaction is None else {"reaction": datum(self.reaction, "law.reaction", name)}

    def _name_functions(self, name: Callable[[Any, str], str]) -> None:
        plain_conditions(self.conditions, name)
        self._plain_reaction(name)
        for each in self._fields:
            each.values({}, name)

    def _known(self, function: Callable[[Any], Any], key: str) -> str:
        """The text of a function, by which it is found again; needs float64."""
        return remember(function, digest((_Sampled(_point(function, key, self.domain.dim)),), *self.domain.box))

    def _traced(self, function: Callable[[Any], Any], key: str) -> str:
        """Raises `UserError` where JAX cannot trace a function, or its value has another shape."""
        jax.eval_shape(_point(function, key, self.domain.dim), jax.ShapeDtypeStruct((self.domain.dim,), "float32"))
        return self._unknown(function, key)

    @staticmethod
    def _unknown(function: Callable[[Any], Any], key: str) -> str:
        return f"{described(function)}#{_UNKNOWN}"


class _Sampled(eqx.Module):
    value: PointFunction = eqx.field(static=True)


def _point(function: Callable[[Any], Any], key: str, dim: int) -> PointFunction:
    return PointFunction(f"{described(function)}#{_UNKNOWN}", key, function, dim > 1 and key == "coefficient")
