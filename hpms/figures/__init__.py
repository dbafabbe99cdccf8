"""Figures; Matplotlib is only imported when one is drawn."""
