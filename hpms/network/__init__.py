"""Networks that carry value, gradient and Laplacian through one forward pass."""
