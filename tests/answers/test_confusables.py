"""What reads like a word of ours is told apart, whatever letters it is made of."""

import pytest
from bitrix24_chat_mcp.answers.confusables import distinct, skeleton


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("You", "you"),
        ("y o-u!", "you"),
        ("ｙｏｕ", "you"),
        ("уоu", "you"),
        ("γоυ", "you"),
        ("ýöû", "you"),
        ("Y0U", "you"),
        ("𝓂𝑒𝓂𝒷𝑒𝓇𝓈", "members"),
        ("mеmbеrѕ", "members"),
        ("оwnеr", "owner"),
        ("гоlе", "role"),
        ("Вы", "вы"),
        ("", ""),
        ("👍 …", ""),
    ],
)
def test_skeleton_is_what_the_letters_look_like(text: str, letters: str) -> None:
    assert skeleton(text) == letters


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Anna", "Anna"),
        ("Yousef", "Yousef"),
        ("you", '"you" (a name)'),
        ("“You”", "\"'You'\" (a name)"),
        (
            "y......................................o...u",
            '"y......................................o...u" (a name)',
        ),
    ],
)
def test_a_name_is_distinct_from_ours(name: str, answer: str) -> None:
    assert distinct(name, {"you"}) == answer
