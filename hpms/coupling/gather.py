"""A fixed sparse matrix for the jitted side."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy import sparse

_MULTIPLE = 16


class Gather(eqx.Module):
    """x -> A x as gathers of equally long rows (ELLPACK): fast on CPUs and GPUs, and the same bits every time."""

    columns: Int[Array, "rows k"]
    entries: Float[Array, "rows k"]

    def __call__(self, x: Float[Array, "columns l"]) -> Float[Array, "rows l"]:
        """A x, column by column."""
        each = [jnp.sum(self.entries * x[:, i][self.columns], axis=1) for i in range(x.shape[1])]
        return jnp.stack(each, axis=1)

    def widened(self, width: int) -> "Gather":
        """The same matrix with `width` entries in each row, the new ones zero."""
        more = ((0, 0), (0, width - self.columns.shape[1]))
        return Gather(jnp.pad(self.columns, more), jnp.pad(self.entries, more))


def gather(matrix: sparse.csr_matrix, dtype: jnp.dtype) -> Gather:
    """`matrix` in ELLPACK form; short rows are padded with zero entries, and where the longest has more than 16 all to
    a multiple of that, so that a program that was compiled for one seed often serves another.
    """
    matrix = sparse.csr_matrix(matrix)
    lengths = np.diff(matrix.indptr)
    count = lengths.size
    longest = max(1, lengths.max(initial=0))
    width = longest if longest <= _MULTIPLE else -(-longest // _MULTIPLE) * _MULTIPLE
    columns = np.zeros((count, width), dtype=np.int32)
    entries = np.zeros(columns.shape)
    rows = np.repeat(np.arange(count), lengths)
    slots = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], lengths)
    columns[rows, slots], entries[rows, slots] = matrix.indices, matrix.data
    return Gather(jnp.asarray(columns), jnp.asarray(entries, dtype=dtype))
