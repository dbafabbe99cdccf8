"""The one seam between the network and the coarse problem."""
