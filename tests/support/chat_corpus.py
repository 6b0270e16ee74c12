"""What people ask for and which chat they mean: the corpora of tests/chats."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from bitrix24_chat_mcp.chats.search.match import Found, Names, search

UNCERTAIN_KINDS = frozenset({"translation", "ambiguous"})
"""Kinds of which the first row need not be right: several chats may be meant, or none by its own word."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Chats of a company; questions by kind, with the title of the chat meant; and of absent chats."""

    chats: list[Names]
    asked: dict[str, dict[str, str]]
    absent: list[str]

    def found(self, query: str) -> tuple[list[str], tuple[str, ...]]:
        """Return the titles that a query finds, and what they are nearest by where that is a guess."""
        found: Found = search(query, self.chats)
        return [self.chats[place].title for place in found.places], found.nearest_by


_FOLDER = Path(__file__).parents[1] / "chats"


def companies() -> list[str]:
    """Return the corpora of companies: those to improve the search by, and `held_out` to judge it by."""
    return [path.stem for name in ("tune*", "held_out") for path in sorted(_FOLDER.glob(f"{name}.toml"))]


def corpus(name: str) -> Corpus:
    """Read one of the corpora: basics, or that of a company."""
    data = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    chats = [_names(*line.split(" | ")) for line in data["chats"].strip().splitlines()]
    return Corpus(chats, data["asked"], data["absent"]["queries"])


def _names(kind: str, title: str, position: str = "") -> Names:
    is_person = kind == "person"
    return Names(title, position if is_person else "", is_person)
