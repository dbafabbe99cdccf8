"""Layered media: the fine solution as a series, every factor of which lives on one period."""
