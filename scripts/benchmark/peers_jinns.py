"""The worker of `peers.py` for jinns: steps by `jinns.solve`, its training loop, compiled as a whole beforehand.

Of jinns's ways to a Laplacian in reverse mode, `laplacian_rev(method="loop")` was the fastest here.
"""
# pyright: reportMissingImports=false

from functools import partial
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import jinns
import optax
from peers_worker import Peer, Problem, medium, serve, versions


class Diffusion(jinns.loss.PDEStatio):
    """-(K Δu + ∇K·∇u) - f at one point."""

    eps: float = eqx.field(kw_only=True, static=True)

    def equation(self, x, u, params):
        gradient = jax.grad(lambda x: u(x, params)[0])(x)
        laplacian = jinns.loss.laplacian_rev(x, u, params, method="loop")
        coefficient, slope1, slope2, forcing = medium(x[:1], x[1:], self.eps, jnp)
        return -(coefficient * laplacian + slope1 * gradient[0] + slope2 * gradient[1]) - forcing


class Jinns:
    """The boundary term of jinns is the sum over the four sides of the means; its weight makes it the mean."""

    def __init__(self, problem: Problem) -> None:
        key = jax.random.PRNGKey(0)
        sizes = list(pairwise(problem.widths))
        hidden = [entry for size in sizes[:-1] for entry in ((eqx.nn.Linear, *size), (jax.nn.tanh,))]
        network, start = jinns.nn.PINN_MLP.create(
            key=key, eq_type="PDEStatio", eqx_list=(*hidden, (eqx.nn.Linear, *sizes[-1]))
        )
        arrays = [jnp.asarray(array.T) for layer in problem.layers for array in layer]
        start = eqx.tree_at(
            lambda m: [a for linear in m.layers[::2] for a in (linear.weight, linear.bias)], start, arrays
        )
        self._params = jinns.parameters.Params(nn_params=start, eq_params={})
        self._loss = jinns.loss.LossPDEStatio(
            u=network,
            dynamic_loss=Diffusion(eps=problem.eps),
            boundary_condition=jinns.loss.Dirichlet(),
            loss_weights=jinns.loss.LossWeightsPDEStatio(dyn_loss=1.0, boundary_loss=0.25),
            params=self._params,
        )
        count, border = len(problem.interior), problem.sides[..., 0].size
        square = {"dim": 2, "min_pts": (0.0, 0.0), "max_pts": (1.0, 1.0)}
        data = jinns.data.CubicMeshPDEStatio(key=key, n=count, nb=border, **square)
        points = jnp.asarray(problem.interior), jnp.asarray(problem.sides.transpose(1, 2, 0))
        self._data = eqx.tree_at(lambda d: (d.omega, d.omega_border), data, points)
        self._optimizer = optax.adam(problem.learning_rate)
        self._state = self._optimizer.init(self._params)

    @partial(jax.jit, static_argnums=(0, 3))
    def _solve(self, params, state, count: int):
        found = jinns.solve(
            n_iter=count,
            init_params=params,
            opt_state=state,
            data=self._data,
            loss=self._loss,
            optimizer=self._optimizer,
            verbose=False,
            ahead_of_time=False,
        )
        return found[0], found[5]

    def loss(self) -> float:
        return float(self._loss(self._params, self._data.get_batch()[1])[0])

    def run(self, count: int) -> None:
        self._params, self._state = jax.block_until_ready(self._solve(self._params, self._state, count))


def build(problem: Problem) -> Peer:
    return Jinns(problem)


def about() -> dict[str, str]:
    return versions("jinns", "jax")


if __name__ == "__main__":
    serve(build, about)
