"""`runtime=...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hpms.config.registry import register
from hpms.config.schema import Count
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np

_CPU_BLOCK = 2500  # activations of one block stay in the caches
_GPU_BLOCK = 100_000


@register("runtime", "default")
@dataclass(frozen=True)
class RuntimeOptions(AbstractOptions):
    """`runtime`: `precision` of the network, points per `block` (null: 2500 on a CPU, 100,000 on a GPU), `platform`.

    Points are spread over so many `devices` of each process (null: all). With `distributed` the processes of a SLURM
    step train together, or those that JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID describe.

    The coarse side, the reference and the sampling are always float64.
    """

    precision: Literal["float32", "float64"]
    block: Count | None
    platform: Literal["cpu", "gpu"] | None
    devices: Count | None
    distributed: bool

    @property
    def dtype(self) -> np.dtype:
        """The network's precision."""
        import numpy as np

        return np.dtype(self.precision)

    def setup(self, programs: str | None = None, together: bool = False) -> None:
        """`hpms.machine.runtime.setup`; with `together` as one of several processes, if it is to be."""
        from hpms.machine.runtime import setup

        setup(self.platform, self.devices, self.distributed and together, programs)

    def block_size(self) -> int:
        """Points per block."""
        from hpms.machine.runtime import device

        return self.block or (_CPU_BLOCK if device().platform == "cpu" else _GPU_BLOCK)
