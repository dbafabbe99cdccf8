"""States of optimizers as pytrees."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool


def all_finite(*trees: Any) -> Bool[Array, ""]:
    """Whether every number in the trees is finite."""
    leaves = [leaf for leaf in jax.tree.leaves(trees) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in leaves]).all()


def select(condition: Bool[Array, ""], a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`."""
    return jax.tree.map(lambda x, y: jnp.where(condition, x, y), a, b)


def settled(tree: Any, floating: Any) -> Any:
    """The tree with strongly typed leaves, the floating ones of one type: what a loop and a checkpoint need."""

    def settle(leaf: Any) -> Array:
        dtype = floating if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else jnp.result_type(leaf)
        return jnp.array(leaf, dtype)

    return jax.tree.map(settle, tree)
