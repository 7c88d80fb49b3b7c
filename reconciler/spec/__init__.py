"""YAML to frozen models, with file, line and column in every error."""
