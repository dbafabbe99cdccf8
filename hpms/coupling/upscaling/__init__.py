"""The upscaled parameters κ of the coarse operator: one file per kind."""
