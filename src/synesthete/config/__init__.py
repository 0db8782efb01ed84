"""One schema for the command line, YAML files and documentation; no torch."""
