"""What `hpms consistency` sweeps."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from hpms.config.schema import Width
from hpms.errors import ConfigError

_HALVINGS = {1: 5, 2: 2, 3: 0}
_FIXED = {1: (1, 2, 4), 2: (), 3: ()}
_FEM_PER_EPS = {1: (16, 32, 64, 128), 2: (5, 10, 20, 40), 3: (4, 8)}
_COARSE_CELLS = {1: (25, 50, 100, 200), 2: (10, 20, 40, 80), 3: (4, 8)}


@dataclass(frozen=True)
class Sweep:
    """`sweep`: `eps` of ε; of δ in units of ε (`delta_over_eps`) and of Ω (`fixed_delta`); of the fine and the coarse
    mesh width (`fine_h`, `coarse_h`), both at `problem.eps`. Each is a list, or null for the defaults of the dimension.
    """

    eps: tuple[Width, ...] | None
    delta_over_eps: tuple[Width, ...]
    fixed_delta: tuple[Width, ...] | None
    fine_h: tuple[Width, ...] | None
    coarse_h: tuple[Width, ...] | None

    def resolved(self, dim: int, eps: float) -> "Sweep":
        """With numbers for null. Raises `ConfigError` for an empty or repeated list and for what does not fit in Ω."""
        found = replace(
            self,
            eps=_or(self.eps, [eps / 2**k for k in range(_HALVINGS[dim] + 1)]),
            fixed_delta=_or(self.fixed_delta, [k * eps for k in _FIXED[dim] if k * eps < 1]),
            fine_h=_or(self.fine_h, [1 / round(k / eps) for k in _FEM_PER_EPS[dim] if k >= 2 * eps]),
            coarse_h=_or(self.coarse_h, [1 / n for n in _COARSE_CELLS[dim]]),
        )
        for name, values in asdict(found).items():
            if len(set(values)) < len(values) or (not values and name != "fixed_delta"):
                raise ConfigError(f"sweep.{name}", list(values), "give one or more different numbers")
        for name, deltas in {
            "delta_over_eps": [k * max(found.eps or ()) for k in found.delta_over_eps],
            "fixed_delta": found.fixed_delta,
        }.items():
            if max(deltas or (0,)) >= 1:
                allowed = f"δ={max(deltas or ()):.4g} must be less than the domain's size 1 for every ε"
                raise ConfigError(f"sweep.{name}", list(getattr(found, name)), allowed)
        for name in ("fine_h", "coarse_h"):
            if max(widths := getattr(found, name)) > 0.5:
                raise ConfigError(f"sweep.{name}", list(widths), "a mesh width must be at most 0.5")
        return found


def _or(given: tuple[float, ...] | None, default: Sequence[float]) -> tuple[float, ...]:
    return tuple(default) if given is None else given
