"""Objective, balancing, optimizers and the loop."""
