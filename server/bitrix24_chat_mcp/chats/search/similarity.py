"""How close a word of a title comes to one that is asked for, on a scale from 0 to 100."""

from typing import Final

from rapidfuzz.distance import OSA

from .given_names import are_others, called
from .phonetics import heard, is_cyrillic, sounds_alike
from .slips import slip
from .words import Word

EXACT: Final = 100
FIRM: Final = 80  # from here on the same word is meant, not a similar one
CERTAIN: Final = 60  # below, it is a guess
INITIAL: Final = 55
GUESS: Final = 58
SAME_MEANING: Final = 72

_SAME_SOUND: Final = 97
_ALIKE_ABROAD: Final = 80
_BEGINS: Final = 90  # and up to eight more, as above for the part that is asked for
_BEGINS_BRIEFLY: Final = 74
_SOUND_BEGINS: Final = 86
_SOUND_BEGINS_PERHAPS: Final = 58
_SAME_PERSON: Final = 92
_HEARD_ALIKE: Final = 74
_HEARD_PERHAPS: Final = 64  # an office word that means something else
TRANSLATED: Final = 71
_SAME_FORM: Final = 70  # and up to twenty more for the ending
_SAME_STEM: Final = 76
_OTHER_THAN_A_NAME: Final = 64
_DERIVED: Final = 78
_DERIVED_ABROAD: Final = 70
_DERIVED_PERHAPS: Final = 58
_OTHER_VOWEL: Final = 78
_PART: Final = 72
_SHORT_YEAR: Final = 65

_HERS: Final = ("oi", "ei")  # endings that a woman's name has, as they sound
_OF_A_THING: Final = "k"  # ends what is another thing than that which it derives from
_MANY: Final = ("ov", "ev")  # the genitive of many things

# A shorter word sounds like the beginning of too many.
_TELLING_SOUND: Final = 3
_TELLING_PART: Final = 4
_TELLING_INNER_PART: Final = 5
_TELLING_NUMBER: Final = 3
_LETTERS_OF_A_DOUBTFUL_ROOT: Final = 4
_LETTERS_OF_A_FORM: Final = 4
_LETTERS_TO_BE_HEARD: Final = 7  # of an everyday word or a given name


def closeness(asked: Word, word: Word, *, is_name: bool = False) -> int:
    """Return 100 for the very word, less for its beginning, sound, forms, parts and slips, 0 for another.

    `is_name` tells that the word is of a person's name: such words have initials, but none derive from them.
    """
    if asked.text == word.text:
        return EXACT
    if asked.is_numbered or word.is_numbered:
        return _numbered(asked, word)
    if word.people and (person := _person(asked, word, is_name=is_name)) is not None:
        return person
    close = _alike(asked, word, is_name=is_name)
    return min(close, _ALIKE_ABROAD) if not is_name and _is_loosely_alike(asked, word) else close


def _is_loosely_alike(asked: Word, word: Word) -> bool:
    """Tell whether an everyday word is compared with one of the other alphabet that may not mean it."""
    is_foreign = is_cyrillic(asked.text) != is_cyrillic(word.text)
    return is_foreign and bool(asked.meanings) and not asked.meanings & word.meanings


def _differ(asked: Word, word: Word) -> bool:
    """Tell whether words are known to mean different things and are no forms of one: банк, банкротство."""
    known = asked.meanings and word.meanings and not asked.meanings & word.meanings
    return bool(known) and (
        asked.stem != word.stem or asked.text.endswith("ing") != word.text.endswith("ing")
    )


def _alike(asked: Word, word: Word, *, is_name: bool) -> int:
    is_other = not is_name and _differ(asked, word)
    if word.text.startswith(asked.text) and not is_other:
        return _begins(asked.text, word.text, is_name=is_name)
    if len(asked.sound) < _TELLING_SOUND:
        return _briefly(asked, word) or _means(asked, word, is_name=is_name)
    form = _form(asked, word, is_name=is_name)
    if is_other:
        return form or GUESS * word.text.startswith(asked.text)
    best = max(form, _heard(asked, word), _means(asked, word, is_name=is_name), _sounds(asked, word))
    return best or _part(asked, word, is_name=is_name) or slip(asked, word)


def begins_with(asked: Word, word: Word) -> int:
    """Compare a short word that was read otherwise than typed: the word, its beginning, or a short name."""
    if asked.text == word.text:
        return EXACT
    if _are_one_person(asked, word, is_name=True):
        return _SAME_PERSON
    return _BEGINS_BRIEFLY if len(asked.text) >= _TELLING_SOUND and word.text.startswith(asked.text) else 0


def _person(asked: Word, word: Word, *, is_name: bool) -> int | None:
    """Tell whether names are of one person, of different ones, or neither for sure."""
    if _are_one_person(asked, word, is_name=is_name):
        return _SAME_PERSON
    return 0 if is_name and are_others(asked.text, word.text) else None


def _are_one_person(asked: Word, word: Word, *, is_name: bool) -> bool:
    """Tell whether names are of one person; in titles of no person, pet forms may well be other words."""
    if not word.people:
        return False
    return bool(word.people & (called(asked.text) if is_name else asked.people))


def _numbered(asked: Word, word: Word) -> int:
    if asked.sound == word.sound:
        return _SAME_SOUND
    if word.text.startswith(asked.text) and word.sound and len(asked.text) >= _TELLING_NUMBER:
        return _BEGINS
    if word.text == f"20{asked.text}":
        return _SHORT_YEAR
    return _means(asked, word, is_name=False)


def _briefly(asked: Word, word: Word) -> int:
    """Compare a word of one or two sounds: only the other alphabet may spell them otherwise."""
    is_same = asked.sound == word.sound and len(asked.sound) > 1 and len(asked.text) == len(word.text)
    return _SAME_SOUND if is_same and is_cyrillic(asked.text) != is_cyrillic(word.text) else 0


def _sounds(asked: Word, word: Word) -> int:
    if asked.sound == word.sound:
        return _SAME_SOUND
    if not word.sound.startswith(asked.sound):
        return 0
    is_told = len(asked.sound) > _TELLING_SOUND
    return _SOUND_BEGINS + _share(asked.sound, word.sound) if is_told else _SOUND_BEGINS_PERHAPS


def _begins(asked: str, word: str, *, is_name: bool) -> int:
    if len(asked) == 1:
        return INITIAL if is_name else 0
    return INITIAL if len(asked) < _TELLING_SOUND else _BEGINS + _share(asked, word)


def _share(part: str, whole: str) -> int:
    return round(8 * len(part) / len(whole))


def _form(asked: Word, word: Word, *, is_name: bool) -> int:
    """Compare another name or another form of it; of Кузнецов and Кузнецова, the latter is Кузнецовой."""
    if _are_forms(asked, word, is_name=is_name):
        if asked.people and not is_name:
            return _OTHER_THAN_A_NAME
        is_hers = asked.sound.endswith(_HERS) and word.sound.endswith("a")
        return _SAME_FORM + round(20 * OSA.normalized_similarity(asked.sound, word.sound)) + 3 * is_hers
    is_of_many = asked.sound.endswith(_MANY) and asked.sound[:-2] in {word.sound, word.stem}
    if is_of_many and not word.people:  # Иванов is no form of Иван
        return _SAME_STEM
    derived = 0 if is_name or word.people else _derived(asked, word)
    return derived or _OTHER_VOWEL * _differ_in_the_last_vowel(asked.text, word.text)


def _derived(asked: Word, word: Word) -> int:
    """Compare words that derive from one root; a root of four letters tells where that is all of the word."""
    root = next((root for root in asked.roots if root in word.roots or root == word.sound), "")
    if not root:
        return 0
    if asked.stem in {root, root + _OF_A_THING} and _differ(asked, word):
        return GUESS  # реклама, рекламация; парковка, парков
    is_foreign = is_cyrillic(asked.text) != is_cyrillic(word.text)
    if len(root) <= _LETTERS_OF_A_DOUBTFUL_ROOT:
        is_all = root == asked.stem and len(root) >= _TELLING_PART and not is_foreign
        return _SAME_STEM if is_all else _DERIVED_PERHAPS
    return _DERIVED_ABROAD if is_foreign else _DERIVED


def _are_forms(asked: Word, word: Word, *, is_name: bool) -> bool:
    """Tell whether words have a stem in common; Roberts is no form of Robert."""
    if (asked.stem not in {word.stem, word.sound} and asked.sound != word.stem) or _differ(asked, word):
        return False
    is_english = not is_cyrillic(asked.text)
    shorter = min(len(asked.stem), len(word.stem))
    if is_english and not is_cyrillic(word.text) and shorter <= _TELLING_SOUND:
        return asked.sound.removesuffix("s") == word.sound.removesuffix("s")
    if is_name and is_english and asked.sound.removesuffix("s") == word.sound:
        return False
    return is_english != is_cyrillic(word.text) or shorter > _TELLING_SOUND


def _differ_in_the_last_vowel(asked: str, word: str) -> bool:
    """Tell whether words too short for a stem are forms of one: йога, йоги."""
    return (
        len(asked) == len(word) == _LETTERS_OF_A_FORM
        and asked[:-1] == word[:-1]
        and ({asked[-1], word[-1]} <= set("аеиоуыюяьійї"))
    )


def _means(asked: Word, word: Word, *, is_name: bool) -> int:
    if is_name or not asked.meanings & word.meanings:
        return 0
    return SAME_MEANING if is_cyrillic(asked.text) == is_cyrillic(word.text) else TRANSLATED


def _heard(asked: Word, word: Word) -> int:
    """Compare what a word in one alphabet may sound like to one who writes the other."""
    is_foreign = is_cyrillic(word.text)
    if is_cyrillic(asked.text) == is_foreign:
        return 0
    cyrillic, latin = (word, asked) if is_foreign else (asked, word)
    if cyrillic.people and latin.people:
        return 0
    alike = any(
        one[0] == other[0] and sounds_alike(one, other)
        for one in heard(cyrillic.text, is_asked=not is_foreign)
        for other in heard(latin.text, is_asked=is_foreign)
    )
    if not alike:
        return 0
    if not asked.meanings and not asked.people:
        return _HEARD_ALIKE
    return _HEARD_PERHAPS if len(cyrillic.text) >= _LETTERS_TO_BE_HEARD else GUESS  # кухня, Kühne


def _part(asked: Word, word: Word, *, is_name: bool) -> int:
    if is_name and is_cyrillic(asked.text) != is_cyrillic(word.text):
        return 0
    if len(asked.stem) >= _TELLING_PART and word.sound.startswith(asked.stem):
        return _SAME_STEM
    return (
        _PART if len(asked.sound) > _TELLING_INNER_PART and asked.sound in word.sound and not is_name else 0
    )
