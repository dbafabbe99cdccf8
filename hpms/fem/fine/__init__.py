"""The fine scale by finite elements: what results are compared with."""
