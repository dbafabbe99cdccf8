"""Tensors and reactions from the command line."""

import h5py
import numpy as np
import pytest

from hpms.cli.compose import composed
from hpms.config.config import read_config
from tests.cli.conftest import PLANE

TENSOR = (
    "coefficient=tensor",
    "coefficient.entries={k11:2+sin(2*pi*x1/eps),k12:0.5*x2,k22:1+x1}",
    "coefficient.constants={}",
)
TINY = (
    *TENSOR,
    "source=constant",
    *PLANE,
    "coarse.h=0.25",
)
OWN = ("problem=box", "coupling=none", "upscaling=none", "problem.conditions={left:{dirichlet:0},all:{robin:[1,x2]}}")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "options",
    [
        (*OWN, "law.reaction=1+x1*x2", "optimizer=gauss_newton", "balancing=none"),
        ("coupling=ball", "upscaling=tensor", "boundary=soft", "coupling.delta=0.4"),
    ],
    ids=["own", "paper"],
)
def test_the_derivatives_are_right(hpms, options):
    code, out, err = hpms("check", *TINY, *options)
    assert code == 0, out + err
    assert "second derivatives of v" in out


@pytest.mark.thorough
def test_a_run_has_the_flux_of_its_tensor(hpms):
    result = hpms("train", *TINY, *OWN, "law.reaction=2")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        found, summary = {k: np.asarray(v) for k, v in file["fields"].items()}, dict(file["summary"].attrs)
    x = found["points"]
    k = np.array([[2 + np.sin(4 * np.pi * x[:, 0]), x[:, 1] / 2], [x[:, 1] / 2, 1 + x[:, 0]]])
    np.testing.assert_allclose(found["flux"], -np.einsum("abm,mb->ma", k, found["gradient"]), rtol=1e-6, atol=1e-9)
    assert summary["reference_own_l2"] < 0.05 and summary["relative_l2"] > 0
    two, three = (read_config(composed("train", *TINY, *OWN, f"law.reaction={c}")).identity() for c in (2, 3))
    assert two in result.last_line and three != two


def test_fluxes_alone_train_a_w_of_mean_zero(hpms):
    plain = [each for each in TINY if each not in TENSOR]
    medium = ("coefficient=constant", "source=expression", "source.formula=cos(pi*x1)")
    own = ("problem=box", "coupling=none", "upscaling=none", "problem.conditions={all:{neumann:0}}")
    result = hpms("train", *plain, *medium, *own)
    assert result.code == 0, result.err
    assert "the constant in w is fixed by ∫w = 0" in result.out + result.err
    with h5py.File(result.last_line) as file:
        found, summary = {k: np.asarray(v) for k, v in file["fields"].items()}, dict(file["summary"].attrs)
    weights, w, u = found["weights"], found["w"], found["reference_value"]
    assert abs(weights @ w) < 1e-12
    np.testing.assert_allclose(u, np.cos(np.pi * found["points"][:, 0]) / np.pi**2, atol=1e-4)
    assert summary["relative_l2"] == pytest.approx(np.sqrt(weights @ (w - u) ** 2 / (weights @ u**2)), rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("coefficient.entries={k11:1,k12:2,k22:1}",), "positive definite and finite, but K("),
        (("coefficient.entries={k11:1}",), "give k22"),
        (
            ("problem.dim=1", "problem.conditions={all:{dirichlet:0}}"),
            "coefficient=tensor is not allowed: a tensor needs problem.dim=2 or 3",
        ),
        (("law.reaction=x1-2",), "law.reaction must be finite and not negative, but at ("),
        (("law.reaction=0", "problem.conditions={all:{neumann:0}}"), "leaves w open by a constant"),
        (("law.reaction=x3",), "law.reaction: 'x3'"),
        (("problem.conditions=linear", "law.reaction=1"), "take problem=box and conditions of your own"),
        (("reference.method=layered",), "reference.method=layered is not allowed"),
    ],
)
def test_what_is_not_allowed_is_one_sentence(hpms, options, message):
    keys = {each.partition("=")[0] for each in options}
    given = [each for each in (*TINY, *OWN) if each.partition("=")[0] not in keys]
    code, _, err = hpms("train", *given, *options)
    assert code == 1 and err.count("\n") == 1 and message in err, err
