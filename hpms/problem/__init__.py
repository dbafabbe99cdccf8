"""The fine scale: domain, coefficient, source, lifting and the pointwise residual."""
