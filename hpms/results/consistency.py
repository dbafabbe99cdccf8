"""What `hpms consistency` writes and prints: arrays with their fitted rates, and tables."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from hpms.fem.fine.coercivity import Coercivity
from hpms.fem.fine.rates import fitted_rate, local_rates
from hpms.results.table import scientific, table
from hpms.study.consistency import Consistency, GapTable

Arrays = dict[str, np.ndarray]
_GAPS = ("gap", "absolute", "interior", "frame", "compression")


def arrays(found: Consistency) -> dict[str, Arrays]:
    """The groups of `consistency.h5`: `gaps` (δ/ε fixed), `fixed_delta`, `bound`, `fem` and `coarse`.

    A dataset `NAME_rate` is the fitted exponent of NAME in ε or h and `NAME_local_rates` those between neighbours;
    `NAME_delta_rate` is the exponent in δ at each ε.
    """
    bound = {f"{f.name}": np.array([getattr(c, f.name) for c in found.coercivity]) for f in fields(Coercivity)}
    fem = {
        name: np.array([getattr(each, name) for each in found.fem])
        for name in ("h", "relative_l2", "relative_h1", "unknowns", "assemble_seconds", "solve_seconds")
    }
    coarse = asdict(found.coarse)
    return {
        "gaps": _gap_arrays(found.relative) | {"own_error_l2": found.own_error_l2},
        "fixed_delta": _gap_arrays(found.fixed),
        "bound": {"eps": found.relative.eps, **bound, "holds": np.array([c.holds for c in found.coercivity])},
        "fem": fem | _rates(fem, ("relative_l2", "relative_h1")),
        "coarse": coarse | _rates(coarse, [name for name in coarse if name != "h"]),
    }


def _gap_arrays(gaps: GapTable) -> Arrays:
    found = {"eps": gaps.eps, "delta": gaps.delta, "delta_over_eps": gaps.delta / gaps.eps[:, None], "norm": gaps.norm}
    for name in _GAPS:
        values: np.ndarray = getattr(gaps, name)
        found[name if name in ("gap", "compression") else f"{name}_gap"] = values
        found[f"{name}_rate"] = np.array([fitted_rate(gaps.eps, column) for column in values.T])
        found[f"{name}_local_rates"] = np.array([local_rates(gaps.eps, column) for column in values.T]).T
        found[f"{name}_delta_rate"] = np.array([fitted_rate(*pair) for pair in zip(gaps.delta, values, strict=True)])
    return found


def _rates(values: Mapping[str, np.ndarray], names: Any) -> Arrays:
    found = {f"{name}_rate": np.array(fitted_rate(values["h"], values[name])) for name in names}
    return found | {f"{name}_local_rates": local_rates(values["h"], values[name]) for name in names}


def report(groups: Mapping[str, Arrays], eps: float, delta: float) -> str:
    """All tables, from `arrays`; ε and δ of the tables over h."""
    parts = [
        "Theorem 2.11: ‖Q̄_δ u - y‖ with the exact u; interior is dist(x, ∂Ω) > δ/2, frame the rest",
        gap_table(groups["gaps"]),
    ]
    if groups["fixed_delta"]["delta"].size:
        parts += [
            "With δ fixed while ε falls, as in the theorem: the gap tends to ‖Q_δ y - y‖, of order δ², not to 0",
            gap_table(groups["fixed_delta"]),
        ]
    fem, coarse = groups["fem"], groups["coarse"]
    parts += [
        f"Fine P1 elements, u_h against the exact u, ε = {eps:.6g}",
        width_table(fem, {"relative_l2": "L² error", "relative_h1": "H¹ error"}),
        f"Theorem 3.6: coarse P1 elements, y_h and p_h against y and p for the exact u (no network, so n → ∞ is done), "
        f"ε = {eps:.6g}, δ = {delta:.6g}",
        width_table(
            coarse,
            {
                "state_l2": "y: L²",
                "state_h1": "y: H¹",
                "adjoint_l2": "p: L²",
                "adjoint_h1": "p: H¹",
                "gradient": "p·Ay",
                "nodal_adjoint_h1": "p nodal: H¹",
                "nodal_gradient": "p·Ay nodal",
            },
        ),
        "p: the integral of Eq. (3.18); p nodal: the sum of Eq. (3.25) that is trained; p·Ay: the loss's "
        "derivative in K̃₁₁, over ‖∇p‖‖∇y‖",
        "Proposition 4.9: ‖q‖ <= α(ν + ‖∇u‖²)/‖u‖ for some 0 < ν < 1; α = inf K sampled, the bound is that of ν → 1",
        bound_table(groups["bound"]),
    ]
    return "\n\n".join(parts)


def gap_table(values: Arrays) -> str:
    """A row for each ε and δ, then a row of fitted exponents for each rule of δ and for each ε."""
    names = ("gap", "interior_gap", "frame_gap", "absolute_gap", "compression")
    header = ["ε", "δ", "δ/ε", "‖Q̄u - y‖/‖u‖", "interior", "frame", "‖Q̄u - y‖", "‖Qy - y‖/‖u‖"]
    ratio, rows = values["delta_over_eps"], []
    for j in range(ratio.shape[1]):
        for i, eps in enumerate(values["eps"]):
            place = [f"{eps:.6g}", f"{values['delta'][i, j]:.6g}", f"{ratio[i, j]:.4g}"]
            rows.append(
                [*place, *(f"{values[name][i, j]:.5f}" for name in names[:3]), *_small(values, names[3:], i, j)]
            )
        rows.append(["", "", "rate in ε", *(_rate(values[f"{_stem(name)}_rate"][j]) for name in names)])
    if ratio.shape[1] > 1:
        for i, eps in enumerate(values["eps"]):
            found = (_rate(values[f"{_stem(name)}_delta_rate"][i]) for name in names)
            rows.append([f"{eps:.6g}", "", "rate in δ", *found])
    return table(header, rows)


def _small(values: Arrays, names: Any, i: int, j: int) -> list[str]:
    return [scientific(values[name][i, j]) for name in names]


def _stem(name: str) -> str:
    return name.removesuffix("_gap")


def width_table(values: Arrays, columns: Mapping[str, str]) -> str:
    """A row for each h, and one of fitted exponents."""
    rows = [
        [f"1/{round(1 / h)}", *(scientific(values[name][i]) for name in columns)] for i, h in enumerate(values["h"])
    ]
    return table(["h", *columns.values()], [*rows, ["rate", *(_rate(values[f"{name}_rate"]) for name in columns)]])


def bound_table(values: Arrays) -> str:
    """A row for each ε."""
    header = ["ε", "α", "‖q‖", "α(1 + ‖∇u‖²)/‖u‖", "holds", "smallest ν", "K̃₁₁", "(1 - ν)α"]
    rows = []
    for i, eps in enumerate(values["eps"]):
        numbers = (values[name][i] for name in ("alpha", "source_norm", "bound"))
        rest = (values[name][i] for name in ("nu", "upscaled", "lower_bound"))
        holds = "yes" if values["holds"][i] else "no"
        rows.append([f"{eps:.6g}", *(f"{v:.5g}" for v in numbers), holds, *(f"{v:.5g}" for v in rest)])
    return table(header, rows)


def _rate(value: Float[np.ndarray, ""] | float) -> str:
    return f"{float(value):.2f}" if np.isfinite(value) else "-"
