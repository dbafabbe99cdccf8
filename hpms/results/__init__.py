"""Run records on disk, and the tables a user reads."""
