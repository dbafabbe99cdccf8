"""`runtime=...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hpms.options.base import AbstractOptions
from hpms.registry import register
from hpms.schema import Count

if TYPE_CHECKING:
    import numpy as np

_CPU_BLOCK = 2500  # activations of one block stay in the caches
_GPU_BLOCK = 100_000


@register("runtime", "default")
@dataclass(frozen=True)
class RuntimeOptions(AbstractOptions):
    """`runtime`: `precision` of the network, points per `block` (null: 2500 on a CPU, 100,000 on a GPU), `platform`.

    The coarse side, the reference and the sampling are always float64.
    """

    precision: Literal["float32", "float64"]
    block: Count | None
    platform: Literal["cpu", "gpu"] | None

    @property
    def dtype(self) -> np.dtype:
        """The network's precision."""
        import numpy as np

        return np.dtype(self.precision)

    def setup(self, programs: str | None = None) -> None:
        """`hpms.runtime.setup`."""
        from hpms.runtime import setup

        setup(self.platform, programs)

    def block_size(self) -> int:
        """Points per block."""
        from hpms.runtime import device

        return self.block or (_CPU_BLOCK if device().platform == "cpu" else _GPU_BLOCK)
