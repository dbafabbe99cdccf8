"""`coefficient=image`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hpms.config.registry import register
from hpms.config.schema import File, NonNegative, Positive
from hpms.errors import ConfigError, brief
from hpms.options.coefficient import CoefficientOptions, check_periods

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.problem.coefficient.image import ImageCoefficient

_MOST_KEPT = 8_000_000  # bytes in a run file


@register("coefficient", "image")
@dataclass(frozen=True)
class ImageOptions(CoefficientOptions):
    """`coefficient=image coefficient.path=FILE`: K by the pixels of an image that is stretched over Ω.

    **Arguments:** `path`, a grey PNG or TIFF, a `.npy` file or an HDF5 dataset FILE.h5:/name; `phases`, K for each grey
    value, as {0:1,255:10}, or null where the values are K themselves; `smoothing`, the deviation of a Gaussian (a
    length, arithmetic in eps), beside which cubic B-splines smooth as much or less; `periods`, as above.
    """

    path: File
    phases: Any
    smoothing: NonNegative
    periods: tuple[Positive, ...] | None

    def check(self, config: Config) -> None:
        sides = config.problem.lengths
        check_periods(self.periods, len(sides))
        if self.periods is not None:
            turns = [side / period for side, period in zip(sides, self.periods, strict=True)]
            if any(abs(turn - round(turn)) > 1e-9 or turn < 0.5 for turn in turns):
                reason = f"the sides {list(sides)} of the domain must be multiples of them"
                raise ConfigError("coefficient.periods", list(self.periods), reason)
        if self.smoothing >= min(sides):
            reason = f"it must be less than the domain's size {min(sides):g}"
            raise ConfigError("coefficient.smoothing", f"{self.smoothing:g}", reason)
        self.values(len(sides))

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> ImageCoefficient:
        return self.over((1.0,) * dim, eps)

    def over(self, sides: tuple[float, ...], eps: float) -> ImageCoefficient:
        from hpms.problem.coefficient.image import image_coefficient

        return image_coefficient(self.values(len(sides)), sides, self.smoothing, self.periods)

    def values(self, dim: int) -> np.ndarray:
        """K of the pixels, with the axes x₁, ..., x_d; `ConfigError` where there is none or it is not positive."""
        import numpy as np

        from hpms.rasters import read_pixels

        pixels = read_pixels(self.path, dim)
        if self.phases is None:
            if not (pixels > 0).all():
                reason = f"it has the value {pixels.min():g}, and K must be positive: give coefficient.phases"
                raise ConfigError("coefficient.path", brief(self.path), reason)
            return pixels.astype(np.float64)
        phases, found = self.materials(), np.full(pixels.shape, np.nan)
        for grey, value in phases.items():
            found[pixels == grey] = value
        if (unknown := np.isnan(found)).any():
            others = np.unique(pixels[unknown])
            reason = f"the image has {len(others)} other value(s), such as {others[0]:g}: give each its K"
            raise ConfigError("coefficient.phases", brief(self.phases), reason)
        return found

    def materials(self) -> dict[float, float]:
        """K by grey value."""
        if not isinstance(self.phases, Mapping) or not self.phases:
            raise ConfigError("coefficient.phases", brief(self.phases), "write {grey:K}, such as {0:1,255:10}, or null")
        found = {}
        for grey, value in self.phases.items():
            try:
                found[float(grey)] = number = float(value)
            except (TypeError, ValueError):
                reason = "a grey value and its K are numbers"
                raise ConfigError(f"coefficient.phases.{brief(grey)}", brief(value), reason) from None
            if not 0 < number < float("inf"):
                raise ConfigError(f"coefficient.phases.{brief(grey)}", brief(value), "K must be positive and finite")
        return found

    def kept(self, dim: int) -> dict[str, np.ndarray]:
        from hpms.rasters import read_pixels

        pixels = read_pixels(self.path, dim)
        return {"pixels": pixels} if pixels.nbytes <= _MOST_KEPT else {}

    @classmethod
    def recalled(cls, values: dict[str, Any], kept: Mapping[str, np.ndarray]) -> dict[str, Any]:
        from hpms.rasters import remember

        return values | {"path": remember(str(values.get("path")), kept["pixels"])} if "pixels" in kept else values

    def unplaced(self) -> ImageOptions:
        return replace(self, path="")

    def remarks(self, built: ImageCoefficient) -> list[str]:
        from hpms.study.smoothing import lost

        phases = None if self.phases is None else sorted(self.materials().values())
        said = [lost(self.values(len(built.sides)), built, phases)]
        if not self.kept(len(built.sides)):
            said.append(f"the image has more than {_MOST_KEPT:.0e} bytes: runs do not hold it, keep {brief(self.path)}")
        return said
