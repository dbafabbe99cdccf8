"""Simplicial meshes of any domain, and finite elements on them."""
