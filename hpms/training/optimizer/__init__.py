"""Optimizers: one file and one YAML each."""
