"""Texts from files, the environment and the portal -> what is safe to print in somebody's terminal."""

from typing import Final

from .clean import clean

LINE_LENGTH: Final = 500


def line(text: str) -> str:
    """Return one bounded line without escape codes and secrets."""
    return clean(text, LINE_LENGTH)
