"""Small problems that the tests share."""

from functools import cache, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from hpms.coupling.ball import BallCoupling
from hpms.coupling.base import CoarseView
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import gather
from hpms.coupling.upscaling.isotropic import Isotropic
from hpms.experiment import fine_problem
from hpms.machine.runtime import flags
from hpms.network.base import Scales, parametrise
from hpms.network.boundary import HardBoundary
from hpms.network.fbpinn import FiniteBasisNetwork
from hpms.network.mlp import Perceptron
from hpms.network.two_scale import TwoScaleNetwork
from hpms.options.boundary import HardOptions, SoftOptions
from hpms.options.coefficient import ExpressionOptions as Coefficient
from hpms.options.collocation import BoundaryLayersOptions
from hpms.options.network import FbpinnOptions, MlpOptions, MsPinnOptions, TwoScaleOptions
from hpms.options.source import ExpressionOptions as Source
from hpms.problem.collocation import BOUNDARY, INTERIOR, Sampler, collocate
from hpms.problem.law.diffusion import Diffusion
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import sites
from hpms.problem.unit_cube import UnitCube
from hpms.training.loss import Evaluation, Loss
from hpms.training.term.residual import ResidualTerm

EPS = 0.3
COEFFICIENTS = {
    1: "2 + sin(2*pi*x1/eps)",
    2: "3 + sin(pi*x1/eps) + sin(2*pi*x2/eps)",
    3: "4 + sin(pi*x1/eps) + sin(2*pi*x2/eps)*cos(pi*x3/eps)",
}
SIGMA = {"tanh": jnp.tanh, "swish": jax.nn.swish, "sine": jnp.sin}
_QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
quick_jit = partial(jax.jit, compiler_options=_QUICK)
quick_filter_jit = partial(eqx.filter_jit, compiler_options=_QUICK)


def scales(dim, outputs=1):
    return Scales(dim, EPS, (2 * EPS, EPS, 1.5 * EPS)[:dim], outputs)


def small_network(kind, activation, dim, dtype, hard, depth=2, outputs=1):
    """A network of some hundred parameters, all of them random, its biases too."""
    schema = {
        "mlp": MlpOptions(9, depth, activation),
        "ms_pinn": MsPinnOptions(7, 1, activation, 5, (1.0, 2.0), "normal"),
        "two_scale": TwoScaleOptions(4, 1, 6, 1, 2, 2, (1.0, 3.0), activation, None),
        "fbpinn": FbpinnOptions((3, 2, 2)[:dim], (1,), 0.8, 4, 1, activation),
    }[kind]
    network = random_network(schema, scales(dim, outputs), dtype)
    return parametrise((HardOptions() if hard else SoftOptions(1.0)).wrap(network))


def random_network(options, scales, dtype):
    """What `options` build, with random parameters."""
    shapes = eqx.filter_eval_shape(options.build, jax.random.key(0), scales, jnp.dtype(dtype))
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape) / a.shape[0] ** 0.5, a.dtype), shapes)


def network_value(network, x, output=0):
    """v_i(x) at one point, from the formulas of the networks' docstrings and without jets."""
    if isinstance(network, HardBoundary):
        return jnp.prod(4 * x * (1 - x)) * network_value(network.network, x, output)
    sigma = SIGMA[network.activation]
    if isinstance(network, Perceptron):
        return perceptron_value(network.layers, sigma, x)[output]
    if isinstance(network, TwoScaleNetwork):
        return two_scale_value(network, sigma, x, output)
    if isinstance(network, FiniteBasisNetwork):
        return sum(level_value(level, sigma, x) for level in network.levels)[output]
    branches = []
    for frequency in network.frequencies:
        phase = 2 * jnp.pi * x @ frequency.array
        z = jnp.concatenate([jnp.cos(phase), jnp.sin(phase)])
        for layer in network.trunk:
            z = sigma(z @ layer.weight + layer.bias)
        branches.append(z)
    return (jnp.concatenate(branches) @ network.output.weight + network.output.bias)[output]


def perceptron_value(layers, sigma, x):
    *hidden, output = layers
    for layer in hidden:
        x = sigma(x @ layer.weight + layer.bias)
    return x @ output.weight + output.bias


def level_value(level, sigma, x):
    """Σ_j ω_j N_j over all subdomains of a level of the unit cube at once."""
    overlap, counts = level.windows.overlap, np.array(level.windows.counts)
    cells = np.array(list(np.ndindex(*counts)))
    rise, fall = ((counts * x - faces) / overlap + 0.5 for faces in (cells, cells + 1))
    rise, fall = jnp.where(cells == 0, 1, smooth_step(rise)), jnp.where(cells == counts - 1, 0, smooth_step(fall))
    z = 2 * (counts * x - cells - 0.5) / np.where(counts == 1, 1, 1 + overlap)
    *hidden, output = level.layers
    for layer in hidden:
        z = sigma(jnp.einsum("jn,jnk->jk", z, layer.weight) + layer.bias[:, 0])
    each = jnp.einsum("jn,jnk->jk", z, output.weight) + output.bias[:, 0]
    return jnp.prod(rise - fall, axis=1) @ each


def smooth_step(t):
    """The integral of 140 s³(1 - s)³ from 0 to t in [0, 1]."""
    t = jnp.clip(t, 0, 1)
    return 35 * t**4 - 84 * t**5 + 70 * t**6 - 20 * t**7


def two_scale_value(network, sigma, x, output):
    dim, eps, periods = network.scales.dim, network.scales.eps, np.array(network.scales.periods)
    longest = [max(np.delete(periods, i), default=periods[i]) for i in range(dim)]
    lengths = np.array(longest) / (2 * np.pi)
    turns = [h * x / periods for h in range(1, network.harmonics + 1)]
    waves = [f(2 * np.pi * t) for f in (jnp.cos, jnp.sin) for t in turns]
    layers = [
        f(m * lengths) for m in network.multiples for f in (lambda w: jnp.exp(-x / w), lambda w: jnp.exp((x - 1) / w))
    ]
    slow = perceptron_value(network.slow, sigma, 2 * x - 1)
    mean, *amplitudes = slow.reshape(network.scales.outputs, -1)[output]
    fast = perceptron_value(network.fast, sigma, jnp.concatenate([2 * x - 1, *waves, *layers]))
    corrector = eps * jnp.stack(amplitudes) @ fast
    if not network.is_vanishing:
        return mean + corrector
    saturation = jnp.prod((1 - jnp.exp(-x / lengths)) * (1 - jnp.exp((x - 1) / lengths)))
    return jnp.prod(4 * x * (1 - x)) * mean + saturation * corrector


def small_problem(dim, source="exp(-2*x1)", lifts=1):
    coefficient = Coefficient(COEFFICIENTS[dim], {}, None).build(dim, EPS)
    return LiftedProblem(UnitCube(dim, EPS), Diffusion(coefficient), Source(source, {}).build(dim, EPS), lifts)


def posed(config):
    """The problem of a configuration, for tests that need no network for it."""
    with flags(config):
        return fine_problem(config)


def lattice(dim, count):
    axes = np.meshgrid(*[np.linspace(0, 1, count)] * dim, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def small_coupling(points, dtype, keeps_adjoint, delta=0.45, count=5):
    """A ball coupling over a lattice, and a coarse state of random numbers."""
    dim = points.shape[1]
    nodes = lattice(dim, count)
    matrix, frame = compression_matrix(nodes, points, delta)
    coupling = BallCoupling(
        nodes=sites(jnp.asarray(nodes[frame]), 7, dtype),
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        columns=1,
        weight=1 / len(nodes),
        keeps_adjoint=keeps_adjoint,
    )
    rng = np.random.default_rng(0)
    target, contraction, sensitivity = (rng.normal(size=size) for size in ((len(nodes), 1), 1, (len(nodes), 1, 1)))
    view = CoarseView(
        target=jnp.asarray(target, dtype),
        sensitivity=jnp.asarray(sensitivity, dtype),
        contraction=jnp.asarray(contraction, dtype),
        kappa=jnp.full(1, 1.7, dtype),
        moments=jnp.full(1, 1.7, dtype),
        active=jnp.ones((), dtype),
        strength=jnp.ones((), dtype),
    )
    return coupling, view


@cache
def small_loss(
    dim=1, hard=True, coupled=True, block=16, interior=50, dtype="float64", fresh=False, keeps=False, even=False
):
    """θ, a loss with M_Ω = `interior` points (or with `fresh` ones), no two of equal weight unless `even`, and its view
    of a coarse problem, whose adjoint a coupling `keeps`.
    """
    dtype = jnp.dtype(dtype)
    problem = small_problem(dim)
    theta, model = small_network("mlp", "tanh", dim, dtype, hard, depth=1)
    rng = np.random.default_rng(1)
    points, boundary = rng.random((interior, dim)), rng.random((11, dim))
    boundary[:, 0] = boundary[:, 0] > 0.5
    coupling, view = small_coupling(points, dtype, keeps) if coupled else (None, None)
    weights = np.ones(interior) if even else rng.uniform(0.5, 1.5, interior)
    drawn = {INTERIOR: jnp.asarray(points), BOUNDARY: jnp.asarray(boundary)}
    places, domain = collocate(problem, drawn, weights, block, dtype), problem.domain
    layers = BoundaryLayersOptions(interior, 11, 0.2, 0.5)
    sampler = Sampler(problem, jax.random.key(5), layers, block, dtype) if fresh else None
    loss = Loss(
        model=model,
        terms=(
            ResidualTerm(places=places[INTERIOR], measure=domain.volume),
            *(HardOptions() if hard else SoftOptions(1.0)).terms(places, domain),
        ),
        coupling=coupling,
        upscaling=Isotropic(dim),
        sampler=sampler,
    )
    return theta, loss, view


def close(actual, expected, tolerance=1e-12):
    """Whether the largest difference is at most `tolerance` times the largest expected value."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    return np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


def found(kappa, means):
    """What a coarse solver is told of a network with K̃ = κI, or with the tensor κ, and these means."""
    kappa = jnp.ravel(jnp.asarray(kappa, "float64"))
    return Evaluation(jnp.zeros(1), kappa, kappa, jnp.asarray(means))
