"""Finds the chat that is meant by what its title sounds and reads like."""
