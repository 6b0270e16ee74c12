"""Finds the texts in prompts/, in a wheel as in a checkout."""

from functools import cache
from importlib.resources import files
from pathlib import Path


def read(name: str) -> str:
    """Return the text of `prompts/<name>.md`, without its head."""
    return _split(name)[1]


def front_matter(name: str) -> dict[str, str]:
    """Return the head of `prompts/<name>.md`: the `key: value` lines between two lines of `---`."""
    lines = _split(name)[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


@cache
def _split(name: str) -> tuple[str, str]:
    text = (_folder() / f"{name}.md").read_text(encoding="utf-8")
    if not text.startswith("---\n"):
        return "", text.strip()
    above, _, below = text[4:].partition("\n---\n")
    return above, below.strip()


@cache
def _folder() -> Path:
    """In a wheel the folder lies inside the package, in a checkout at the top."""
    inside = Path(str(files("bitrix24_chat_mcp") / "prompts"))
    return inside if inside.is_dir() else Path(__file__).parents[3] / "prompts"
