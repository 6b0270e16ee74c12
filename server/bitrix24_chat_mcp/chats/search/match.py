"""Finding the chat that somebody means by a part of its title, however it was typed.

Forgiven are case, ё, word endings, transliteration, a wrong keyboard layout, slips, the order of words,
short names, and words around the title such as "chat with". Every word that is asked for must be found.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from .phonetics import Word, spell
from .similarity import EXACT, FIRM, closeness, slips_allowed

# A chat is found from `_FLOOR` on, and not when another is closer by `_LEAD`: beside the very word, a word
# that only resembles it was not meant.
_FLOOR: Final = 62
_LEAD: Final = 18
_LONG_ENOUGH_WITHOUT_SPACES: Final = 5

_ENGLISH: Final = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`{}:\"<>~QWERTYUIOPASDFGHJKLZXCVBNM"
_RUSSIAN: Final = "йцукенгшщзхъфывапролджэячсмитьбюёХЪЖЭБЮЁЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ"
_TO_RUSSIAN: Final = str.maketrans(_ENGLISH, _RUSSIAN)
_TO_ENGLISH: Final = str.maketrans(_RUSSIAN, _ENGLISH)

# Words that people put around a title; they need not be in it.
_AROUND_A_TITLE: Final = """
чат чата чате чату чатом чаты группа группе группу группы беседа беседе беседу диалог диалоге
переписка переписке переписку сообщения сообщение канал канале личка
с со в во на по про о об обо для из и к ко от у за
chat chats channel group conversation dialog dialogue message messages thread
with in on about the a an of for to and from by at
"""
_AROUND: Final = frozenset(_AROUND_A_TITLE.split())


class _Asked(NamedTuple):
    """A word that is asked for, and how close words of the titles come to it."""

    word: Word
    closeness: Mapping[str, int]


class _Titles:
    """The words of all chats, and in which chats they are."""

    def __init__(self, chats: Sequence[tuple[str, ...]]) -> None:
        words: dict[str, Word] = {}
        self.places: defaultdict[str, list[int]] = defaultdict(list)
        for place, names in enumerate(chats):
            for word in _all_words(names):
                words[word.text] = word
                self.places[word.text].append(place)
        self.words = list(words.values())
        self.sounds = [word.sound for word in self.words]
        self.stems = [word.stem for word in self.words]

    def look_up(self, words: Iterable[Word]) -> list[_Asked]:
        return [_Asked(word, self._near(word)) for word in dict.fromkeys(words)]

    def with_all(self, asked: Iterable[_Asked]) -> set[int]:
        """Return the places of the chats that have a word near every one that is asked for."""
        each = [{place for text in word.closeness for place in self.places[text]} for word in asked]
        return each[0].intersection(*each) if each else set()

    def _near(self, asked: Word) -> dict[str, int]:
        found = ((word.text, closeness(asked, word)) for word in self._candidates(asked))
        return {text: close for text, close in found if close}

    def _candidates(self, asked: Word) -> list[Word]:
        """Sieve out most words quickly: whatever is close has the beginning in it, a name, or few slips."""
        begin, text, people, size = asked.sound[:3], asked.text, asked.people, len(asked.sound)
        near = [
            word for word in self.words if begin in word.sound or text in word.text or people & word.people
        ]
        begun = [sound[:size] for sound in self.sounds]
        for sought, sounds in ((asked.sound, self.sounds), (asked.stem, self.stems), (asked.sound, begun)):
            slipped = extract(
                sought, sounds, scorer=OSA.distance, score_cutoff=slips_allowed(len(sought)), limit=None
            )
            near += [self.words[index] for _, _, index in slipped]
        return near


def rank(query: str, chats: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the indexes of the chats that `query` means, the closest first, equals in the given order.

    A chat is a tuple of its names: the title first, then what else it is known by (a person's name or
    position). The list is empty when nothing really matches; a blank query leaves out nothing.
    """
    if not query.strip():
        return list(range(len(chats)))
    titles = _Titles(chats)
    asked = _understand(query, titles)
    scored = ((place, _score(asked, chats[place])) for place in sorted(titles.with_all(asked)))
    scores = {place: score for place, score in scored if score >= _FLOOR} or _run_together(
        query.strip(), chats
    )
    bar = max(scores.values(), default=0) - _LEAD
    return sorted((place for place in scores if scores[place] >= bar), key=lambda place: -scores[place])


def _all_words(names: tuple[str, ...]) -> Iterator[Word]:
    for name in names:
        spelling = spell(name)
        yield from spelling.words
        yield from spelling.joined


def _run_together(query: str, chats: Sequence[tuple[str, ...]]) -> dict[int, int]:
    """Find a query whose spaces are not where the title has them, or one without words, such as an emoji."""
    sound = spell(query).sound
    if not sound:
        return {place: EXACT for place, names in enumerate(chats) if any(query in name for name in names)}
    if len(sound) < _LONG_ENOUGH_WITHOUT_SPACES:
        return {}
    return {
        place: FIRM for place, names in enumerate(chats) if any(sound in spell(name).sound for name in names)
    }


def _understand(query: str, titles: _Titles) -> list[_Asked]:
    """Return the words that are asked for, without those around them unless there are no others."""
    chunks = query.split()
    telling = [chunk for chunk in chunks if not _is_around(chunk, titles)]
    return [asked for chunk in telling or chunks for asked in _read(chunk, titles)]


def _is_around(chunk: str, titles: _Titles) -> bool:
    typed, other = _texts(chunk), _texts(_in_other_layout(chunk))
    return typed <= _AROUND or (other <= _AROUND and titles.places.keys().isdisjoint(typed))


def _texts(chunk: str) -> set[str]:
    return {word.text for word in spell(chunk).words}


def _read(chunk: str, titles: _Titles) -> list[_Asked]:
    """Take what was typed as it stands if titles have it, else the way of reading it that comes closest."""
    typed = spell(chunk)
    as_it_stands = titles.look_up(typed.words)
    if _worst(as_it_stands) >= FIRM:
        return as_it_stands
    other_layout = titles.look_up(spell(_in_other_layout(chunk)).words)
    return max(as_it_stands, other_layout, titles.look_up(typed.joined), key=_worst)


def _worst(reading: Sequence[_Asked]) -> int:
    return min((max(asked.closeness.values(), default=0) for asked in reading), default=0)


def _in_other_layout(typed: str) -> str:
    is_russian = any("а" <= letter <= "ё" for letter in typed.lower())
    return typed.translate(_TO_ENGLISH if is_russian else _TO_RUSSIAN)


def _score(asked: Sequence[_Asked], names: tuple[str, ...]) -> int:
    """Return the mean closeness of the words, each to another, plus up to five for the share of the title."""
    title = {word.text for word in spell(names[0]).words} - _AROUND
    free = {word.text for word in _all_words(names)}
    total = 0
    for word in asked:
        close, text = max(((word.closeness.get(text, 0), text) for text in free), default=(0, ""))
        if not close:
            return 0
        total += close
        free.discard(text)
    return round(total / len(asked) + 5 * len(title - free) / max(len(title), 1))
