"""Sources q: one file and one YAML each."""
