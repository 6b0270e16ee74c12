"""A figure, its limit, and how both are shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. It is kept when it is at most `limit`, or at least, where `at_least` says so."""

    name: str
    figure: float
    limit: float
    measured: str = ""
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Tell whether the figure is what was promised."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        """Return the row of a Markdown table."""
        bound = f"{'≥' if self.at_least else '≤'} {self.limit:g}"
        verdict = "kept" if self.kept else "MISSED"
        return f"| {self.name} | {self.figure:.2f} | {bound} | {verdict} | {self.measured} |"


HEAD = "| What | Figure | Promised | | Measured |\n|---|---|---|---|---|"
