"""Laws, A w = q: the strong side of each in one file, the weak side in `hpms.fem.fine.solve`."""
