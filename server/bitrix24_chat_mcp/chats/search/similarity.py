"""How close a word of a title comes to one that is asked for, on a scale from 0 to 100."""

from typing import Final

from rapidfuzz.distance import OSA

from .phonetics import Word

EXACT: Final = 100
FIRM: Final = 80  # from here on the same word is meant, not a similar one

_SAME_SOUND: Final = 97
_BEGINS: Final = 90  # and up to eight more, as above for the part that is asked for
_SOUND_BEGINS: Final = 86
_SAME_PERSON: Final = 84
_SAME_FORM: Final = 70  # and up to twenty more for the ending
_SAME_STEM: Final = 76
_PART: Final = 72
_SLIPPED: Final = 87  # and eleven less for each slip
_SLIP: Final = 11
_BEGINS_SLIPPED: Final = 66
_INITIAL: Final = 55

_HERS: Final = ("oi", "ei")  # endings that a woman's name has, as they sound
_MANY: Final = ("ov", "ev")  # the genitive of many things

# A shorter word sounds like the beginning of too many.
_TELLING_SOUND: Final = 3
_TELLING_PART: Final = 4

_ROOM_FOR_SLIPS: Final = (4, 8)  # sounds that a word needs for one slip, and for two


def closeness(asked: Word, word: Word) -> int:
    """Return 100 for the very word, less for its beginning, sound, forms, parts and slips, 0 for another."""
    if asked.text == word.text:
        return EXACT
    if word.text.startswith(asked.text):
        return _BEGINS + _share(asked.text, word.text) if len(asked.text) > 1 else _INITIAL
    if asked.sound == word.sound:
        return _SAME_SOUND if len(asked.sound) > 1 else 0
    if asked.is_numbered or len(asked.sound) < _TELLING_SOUND:
        return 0
    if word.sound.startswith(asked.sound):
        return _SOUND_BEGINS + _share(asked.sound, word.sound)
    return _form(asked, word) or _part(asked, word) or _slip(asked, word)


def slips_allowed(sounds: int) -> int:
    """Return how many slips are forgiven in a word of so many sounds."""
    return sum(sounds >= room for room in _ROOM_FOR_SLIPS)


def _share(part: str, whole: str) -> int:
    return round(8 * len(part) / len(whole))


def _form(asked: Word, word: Word) -> int:
    """Compare another name or another form of it; of Кузнецов and Кузнецова, the latter is Кузнецовой."""
    if asked.people & word.people:
        return _SAME_PERSON
    if asked.stem in {word.stem, word.sound} or asked.sound == word.stem:
        is_hers = asked.sound.endswith(_HERS) and word.sound.endswith("a")
        return _SAME_FORM + round(20 * OSA.normalized_similarity(asked.sound, word.sound)) + 3 * is_hers
    is_of_many = asked.sound.endswith(_MANY) and asked.sound[:-2] in {word.sound, word.stem}
    return _SAME_STEM if is_of_many and not word.people else 0  # Иванов is no form of Иван


def _part(asked: Word, word: Word) -> int:
    if len(asked.stem) >= _TELLING_PART and word.sound.startswith(asked.stem):
        return _SAME_STEM
    is_inside = asked.text in word.text or (len(asked.sound) >= _TELLING_PART and asked.sound in word.sound)
    return _PART if is_inside else 0


def _slip(asked: Word, word: Word) -> int:
    """Forgive slips in the whole word; one fewer without its ending, or in the beginning of a longer one."""
    size = len(asked.sound)
    slips = OSA.distance(asked.sound, word.sound)
    if slips > slips_allowed(size):
        slips = OSA.distance(asked.stem, word.stem)
        if slips > slips_allowed(len(asked.stem) - 1):
            begun = OSA.distance(asked.sound, word.sound[:size])
            return _BEGINS_SLIPPED if begun <= slips_allowed(size - 1) else 0
    return _SLIPPED - _SLIP * slips
