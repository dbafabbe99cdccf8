"""A problem as a Python program poses it."""
