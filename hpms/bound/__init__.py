"""A bound of the error in the energy norm that needs no reference: docs/bound.md derives it."""
