"""The coarse scale: what training uses."""
