"""The bound of the energy error on simplicial meshes."""
