"""Where a network is to vanish."""

import abc

from jaxtyping import Array, Float

from hpms.jet import Forms, Jet


class AbstractEdges(abc.ABC):
    """The boundary of a domain that is no box, in groups."""

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How many groups there are."""

    @abc.abstractmethod
    def layers(self, x: Float[Array, "m d"], length: float, forms: Forms | None = None) -> Jet:
        """The jet of exp(-φ_g/ℓ) with smooth distances φ_g to the groups and ℓ the `length`, (M, `count`)."""


class AbstractWalls(abc.ABC):
    """Parts of ∂Ω, which may be none."""

    @property
    @abc.abstractmethod
    def is_empty(self) -> bool:
        """Whether there are none."""

    @abc.abstractmethod
    def vanishing(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """The jet of l, 0 on them and of the order 1 away from them, (M, 1)."""

    @abc.abstractmethod
    def saturation(self, x: Float[Array, "m d"], lengths: tuple[float, ...], forms: Forms | None = None) -> Jet:
        """The jet of b, 0 on them and almost 1 from some ℓ_i away, the `lengths` along the axes, (M, 1)."""
