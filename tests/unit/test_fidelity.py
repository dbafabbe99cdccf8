"""The paper's experiments have the paper's numbers, and docs/fidelity.md names what is there."""

import ast
import re
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms import configure
from hpms.config.config import GROUPS
from hpms.config.registry import options
from hpms.config.schema import unknown_key
from hpms.config.shipped import config_dir
from hpms.network.base import Scales
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lifted import LiftedProblem
from hpms.training.optimizer.adam import AdamOptimizer

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([^`\n]+)`", PAGE)

# Section 4.4, "unless otherwise specified"
EVERYWHERE = {
    "names.network": "ms_pinn",
    "network.scales": lambda eps: (1, 1 / eps),  # ϱ₁, ϱ₂
    "network.depth": 2,
    "network.width": 128,
    "network.activation": "tanh",
    "network.distribution": "normal",
    "collocation.fresh": False,  # full batch
    "optimizer.learning_rate": 5e-4,
    "optimizer.decay_rate": 0.75,
    "optimizer.decay_steps": 1000,
    "names.optimizer": "adam",
    "names.balancing": "gradient_norm",
    "balancing.interval": 100,
    "names.coupling": "ball",
    "coupling.compress_state": False,  # (2.10)
    "coupling.delta": lambda eps: eps,
    "coupling.update": "lazy",
    "coupling.interval": 100,  # T_K
    "coupling.threshold": 1e-2,
    "names.upscaling": "isotropic",  # K̃₁₁ only
}
ONE = {
    "problem.dim": 1,
    "boundary.hard": True,
    "training.iterations": 200_000,
    "coarse.h": 0.004,
}
CASES = {
    "osc1d": (
        ["+experiment=osc1d"],
        EVERYWHERE | ONE | {"problem.eps": 1 / 15, "collocation.interior_points": 2000, "reference.baseline_h": 5e-4},
    ),
    "osc1d, small": (
        ["+experiment=osc1d", "problem.eps=0.01"],
        EVERYWHERE | ONE | {"problem.eps": 0.01, "collocation.interior_points": 5000, "reference.baseline_h": 2e-4},
    ),
    "osc2d": (
        ["+experiment=osc2d"],
        EVERYWHERE
        | {
            "problem.dim": 2,
            "problem.eps": 0.1,
            "boundary.hard": False,
            "collocation.interior_points": 25_000,
            "collocation.boundary_points": 2500,
            "coarse.h": 0.04,
        },
    ),
    "osc2d, MLP": (
        ["+experiment=osc2d", "network=mlp"],
        {"network.depth": 8, "network.width": 64, "network.activation": "tanh", "optimizer.learning_rate": 1e-3},
    ),
}
configured = cache(lambda name: configure(*CASES[name][0]))


@pytest.mark.parametrize("name", CASES)
def test_the_defaults_are_the_papers(name):
    config, expected = configured(name), CASES[name][1]

    def found(key):
        group, _, attribute = key.partition(".")
        return config.names[attribute] if group == "names" else attrgetter(key)(config)

    wanted = {key: value(config.problem.eps) if callable(value) else value for key, value in expected.items()}
    assert {key: found(key) for key in expected} == wanted


@pytest.mark.parametrize(
    ("name", "coefficient", "slope", "source"),
    [
        (
            name,
            lambda x, eps: 2 + np.sin(2 * np.pi * x[0] / eps),
            lambda x, eps: 2 * np.pi / eps * np.cos(2 * np.pi * x[0] / eps),
            lambda x: -3 * (2 * x[0] - 1),
        )
        for name in ("osc1d", "osc1d, small")
    ]
    + [
        (
            "osc2d",
            lambda x, eps: 3 + np.sin(np.pi * x[0] / eps) + np.sin(2 * np.pi * x[1] / eps),
            lambda x, eps: np.pi / eps * np.cos(np.pi * x[0] / eps),
            lambda x: 10 * np.exp(-100 * ((x - 0.5) ** 2).sum(axis=0)),
        )
    ],
)
def test_the_medium_is_the_papers(name, coefficient, slope, source):
    config = configured(name)
    dim, eps = config.problem.dim, config.problem.eps
    parts = (Diffusion(config.coefficient.build(dim, eps)), config.source.build(dim, eps))
    x = np.random.default_rng(0).random((7, dim))
    medium = LiftedProblem(config.problem.build(), *parts).medium(jnp.asarray(x))
    np.testing.assert_allclose(medium.coefficient, coefficient(x.T, eps), rtol=1e-12)
    np.testing.assert_allclose(medium.forcing[:, 0], source(x.T) + slope(x.T, eps), rtol=1e-10)  # f^ε = q + ∂₁K^ε


def shapes(name):
    """The configured network with shapes in place of its arrays."""
    config = configured(name)
    scales, dtype = Scales(config.problem.dim, config.problem.eps, None), jnp.dtype("float32")
    return eqx.filter_eval_shape(config.network.build, jax.random.key(0), scales, dtype)


def test_the_layers_are_the_papers():
    multiscale, perceptron = shapes("osc2d"), shapes("osc2d, MLP")
    assert [frequency.array.shape for frequency in multiscale.frequencies] == [(2, 64)] * 2
    assert [layer.weight.shape for layer in multiscale.trunk] == [(2 * 64, 128), (128, 128)]  # shared by both scales
    assert multiscale.output.weight.shape == (2 * 128, 1)
    assert [layer.weight.shape[1] for layer in perceptron.layers] == [*[64] * 8, 1]


def test_adam_has_the_papers_rate():
    no_model: Any = None
    optimizer = configured("osc1d").optimizer.build(no_model)  # its β are those of test_adam's textbook steps
    assert isinstance(optimizer, AdamOptimizer)
    assert [optimizer.rate(i) for i in (0, 1000, 2000)] == pytest.approx([5e-4, 0.75 * 5e-4, 0.75**2 * 5e-4])


def test_one_balancing_moves_the_weights_by_a_tenth():
    weights = configured("osc2d").balancing.update(np.ones(3), np.array([1.0, 3.0, 4.0]))
    np.testing.assert_allclose(weights, 0.9 + 0.1 * 8 / np.array([1.0, 3.0, 4.0]))


@cache
def defined(path):
    """The classes, functions and methods of a file, and the fields of its classes."""
    found = set()

    def visit(body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.add(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{prefix}{node.name}.")
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(prefix + node.target.id)

    visit(ast.parse((ROOT / path).read_text(encoding="utf-8")).body, "")
    return found


def test_files_and_names_of_the_page_exist():
    places = [match for each in NAMED if (match := re.fullmatch(r"([\w/]+\.(?:py|yaml|sh))(?::([\w.]+))?", each))]
    assert len(places) > 50
    missing = [m[0] for m in places if not (ROOT / m[1]).is_file() or (m[2] and m[2] not in defined(m[1]))]
    assert not missing


def test_keys_and_options_of_the_page_exist():
    words = [word for each in NAMED for word in each.split()]
    keys = {m[1]: (m[2], m[3]) for word in words if (m := re.fullmatch(r"((\w+)\.(\w+))(?:=\S+)?", word))}
    keys = {key: parts for key, parts in keys.items() if parts[0] in GROUPS}
    assert len(keys) > 20
    for key, (group, name) in keys.items():
        known = {field for schema in options(group).values() for field in schema.__dataclass_fields__}
        assert name in known, unknown_key(key, sorted(known))
    chosen = [m for word in words if (m := re.fullmatch(r"\+?(\w+)=(\w+)", word))]
    chosen = [m for m in chosen if m[1] in (*GROUPS, "experiment")]
    assert len(chosen) > 10
    assert not [m[0] for m in chosen if not Path(config_dir(), m[1], f"{m[2]}.yaml").is_file()]
