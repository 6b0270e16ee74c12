"""What is looked up, and what was found."""

from collections.abc import Mapping
from typing import NamedTuple

from . import abbreviations


class Asked(NamedTuple):
    """A word that is asked for, and how close words of the titles come to it, by their numbers."""

    text: str
    closeness: Mapping[int, int]

    @property
    def best(self) -> int:
        """Return the closeness of the closest word."""
        return max(self.closeness.values(), default=0)

    def at_most(self, close: int) -> "Asked":
        """Return it with nothing closer than that."""
        return Asked(self.text, {n: min(closer, close) for n, closer in self.closeness.items()})

    def closely(self) -> "Asked":
        """Return it without all that is not the very word, or initials."""
        close = {n: close for n, close in self.closeness.items() if close >= abbreviations.WHOLE}
        return Asked(self.text, close)
