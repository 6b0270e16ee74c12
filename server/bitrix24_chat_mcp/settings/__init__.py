"""The settings: one definition for file, environment and command line."""
