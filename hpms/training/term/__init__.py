"""Terms of the loss that are sums over points: one file each."""
