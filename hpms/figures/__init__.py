"""Figures of runs, by Matplotlib, and their fields for ParaView."""
