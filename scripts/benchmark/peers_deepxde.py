"""The worker of `peers.py` for DeepXDE, with the backend that DDE_BACKEND names, in its reverse (default) or forward
mode of differentiation: `peers_deepxde.py PROBLEM reverse|forward`.

A step is what `Model.train` does in its loop, less its callbacks and displays: `Model._train_step` on the whole of
`train_state`. `PointSetBC` and `anchors` give it the points. Like every `data.PDE`, it evaluates the residual at the
boundary points too and drops it there.
"""
# pyright: reportMissingImports=false

import sys

import deepxde as dde
import numpy as np
from peers_worker import Peer, Problem, medium, serve, versions

BACKEND = dde.backend.backend_name
if BACKEND == "jax":
    import jax
    import jax.numpy as library
else:
    import torch as library


class DeepXde:
    def __init__(self, problem: Problem) -> None:
        pairs = BACKEND == "jax" or dde.config.autodiff == "forward"  # derivatives come with a function

        def residual(x, u):
            gradient = [dde.grad.jacobian(u, x, i=0, j=j) for j in range(2)]
            second = [dde.grad.hessian(u, x, i=j, j=j) for j in range(2)]
            if pairs:
                gradient, second = [value for value, _ in gradient], [value for value, _ in second]
            coefficient, slope1, slope2, forcing = medium(x[:, :1], x[:, 1:], problem.eps, library)
            return -(coefficient * sum(second) + slope1 * gradient[0] + slope2 * gradient[1]) - forcing

        boundary = dde.icbc.PointSetBC(problem.sides.reshape(-1, 2), 0.0)
        square = dde.geometry.Rectangle([0, 0], [1, 1])
        data = dde.data.PDE(square, residual, boundary, anchors=problem.interior)
        network = dde.nn.FNN(problem.widths, "tanh", "Glorot normal")
        self._model = dde.Model(data, network)
        self._model.compile("adam", lr=problem.learning_rate)
        self._set_weights(problem)
        self._model.train_state.set_data_train(*data.train_next_batch())
        state = self._model.train_state
        self._batch = state.X_train, state.y_train, state.train_aux_vars

    def _set_weights(self, problem: Problem) -> None:
        tensor, network = dde.backend.as_tensor, self._model.net
        if BACKEND == "jax":
            layers = {
                f"denses_{i}": {"kernel": tensor(w), "bias": tensor(b)} for i, (w, b) in enumerate(problem.layers)
            }
            network.params = {"params": layers}
            self._model.params = [network.params, []]
        else:
            weights = {f"linears.{i}.weight": tensor(w.T) for i, (w, _) in enumerate(problem.layers)}
            network.load_state_dict(
                weights | {f"linears.{i}.bias": tensor(b) for i, (_, b) in enumerate(problem.layers)}
            )

    def loss(self) -> float:
        return float(np.sum(self._model._outputs_losses(True, *self._batch)[1]))

    def run(self, count: int) -> None:
        for _ in range(count):
            self._model._train_step(*self._batch)
        if BACKEND == "jax":
            jax.block_until_ready(self._model.params)


def build(problem: Problem) -> Peer:
    dde.config.set_default_autodiff(sys.argv[2])
    return DeepXde(problem)


def about() -> dict[str, str]:
    return versions("deepxde", "jax" if BACKEND == "jax" else "torch")


if __name__ == "__main__":
    serve(build, about)
