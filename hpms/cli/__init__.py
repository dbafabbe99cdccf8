"""The command line: verbs, Hydra around them, and what belongs to a command alone."""
