"""Loss, optimizers and the loop."""
