"""The Russian pages say what the English ones say: sections, snippets, tables, commands, settings, links."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README", "docs/team")
_PART = re.compile(r"<!-- begin (\S+) -->\n(.*?)\n<!-- end \1 -->", re.DOTALL)
_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def both(page: str) -> tuple[str, str]:
    return tuple((ROOT / f"{page}{language}.md").read_text(encoding="utf-8") for language in ("", ".ru"))  # type: ignore[return-value]


def missing(english: list[str], russian: list[str]) -> dict[str, list[str]]:
    """Name what one page has and the other has not."""
    counted = Counter(english), Counter(russian)
    return {
        "missing in Russian": sorted((counted[0] - counted[1]).elements()),
        "missing in English": sorted((counted[1] - counted[0]).elements()),
    }


NOTHING: dict[str, list[str]] = {"missing in Russian": [], "missing in English": []}


def outline(text: str) -> list[str]:
    """Return levels of headings, numbers of columns and rows of tables, and lists, in their order."""
    prose = _BLOCK.sub("", _PART.sub("", text))
    lines = (line for line in prose.splitlines() if re.match(r"#|\||- |\d\. ", line))
    return [re.sub(r"[^#|\-\d.]", "", line.split(" ")[0]) + str(line.count("|")) for line in lines]


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_has_the_sections_tables_and_lists_of_the_english_one(page: str) -> None:
    english, russian = map(outline, both(page))
    assert russian == english


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_has_the_snippets_of_the_english_one(page: str) -> None:
    english, russian = (dict(_PART.findall(text)) for text in both(page))
    assert missing(list(english), list(russian)) == NOTHING
    assert russian == english


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_names_the_same_code_settings_and_commands(page: str) -> None:
    english, russian = (
        re.findall(r"`([^`\n]+)`", _BLOCK.sub("", _PART.sub("", text))) for text in both(page)
    )
    assert missing(english, russian) == NOTHING


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_has_the_examples_and_command_lines_of_the_english_one(page: str) -> None:
    def examples(text: str) -> list[str]:
        indented = re.findall(r"^    (\S.*?)(?: +#.*)?$", text, re.MULTILINE)
        return _BLOCK.findall(_PART.sub("", text)) + indented

    assert missing(*map(examples, both(page))) == NOTHING


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_leads_where_the_english_one_leads(page: str) -> None:
    english, russian = (re.findall(r"\]\(([^)#\s]+)\)", _PART.sub("", text)) for text in both(page))
    assert (
        missing([one.replace(".ru.", ".") for one in english], [one.replace(".ru.", ".") for one in russian])
        == NOTHING
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_russian_page_is_in_russian(page: str) -> None:
    prose = re.sub(r"`[^`]*`|\([^)]*\)", "", _BLOCK.sub("", _PART.sub("", both(page)[1])))
    assert len(re.findall("[а-яё]", prose)) > 3 * len(re.findall("[a-z]", prose))
