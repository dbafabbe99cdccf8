"""Coefficients K^ε: one file and one YAML each."""
