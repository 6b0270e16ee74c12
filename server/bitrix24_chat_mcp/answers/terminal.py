"""Texts from files, the environment and the portal -> what is safe to print in somebody's terminal."""

from typing import Final

from .sanitize import sanitize

LINE_LENGTH: Final = 500


def line(text: str) -> str:
    """Return one bounded line without escape codes and secrets."""
    return sanitize(text, LINE_LENGTH)
