"""What `hpms check` tests on a configuration."""
