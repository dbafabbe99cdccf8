"""hpms: a hybrid physics-informed neural network / finite element multiscale solver."""

__version__ = "0.1.0"
