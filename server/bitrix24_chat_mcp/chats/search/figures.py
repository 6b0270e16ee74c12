"""Dates and telephone numbers in one form for all the ways in which people type them."""

import re
from typing import Final

# By the beginning of a month's name: Russian, English, German, Ukrainian, Turkish, Kazakh.
_MONTHS: Final = """
январ jan січ oca қаңтар
феврал feb лют şub ақпан
март|марта mar|march|märz берез mart наурыз
апрел apr квіт nis сәуір
мая|май|мае may|mai трав mayıs мамыр
июн jun черв haz маусым
июл jul лип tem шілде
август aug серп ağu тамыз
сентябр sep верес eyl қыркүйек
октябр oct|okt жовт eki қазан
ноябр nov листоп kas қараша
декабр dec|dez груд ara желтоқсан
"""
_BEGINS: Final = [
    (begin, month)
    for month, line in enumerate(_MONTHS.strip().splitlines(), 1)
    for begin in line.replace("|", " ").split()
]
_NAME: Final = "|".join(sorted((begin for begin, _ in _BEGINS), key=len, reverse=True))
_MONTH_NAMES: Final = "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь"
_TENS: Final = "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"
_UNITS: Final = "перв|од втор|дв трет|три|трё|тре четвёрт|четверт|четыр пят шест седьм|сем восьм|восем девят"
_SPOKEN: Final = re.compile(
    rf"\b({_TENS.replace(' ', '|')})[\s-]+({_UNITS.replace(' ', '|')})[а-яё]{{0,3}}\b", re.IGNORECASE
)
_NUMBERED_MONTH: Final = re.compile(r"\b(0?[1-9]|1[0-2]) месяц\b", re.IGNORECASE)
_DATE: Final = re.compile(
    rf"""
    \b(?P<year>(?:19|20)\d\d)[-./](?P<m1>\d\d?)[-./](?P<d1>\d\d?)\b
    | \b(?P<d2>\d\d?)(?P<sign>[./-])(?P<m2>\d\d?)(?:(?P=sign)(?:\d{{4}}|\d\d))?\b
    | \b(?P<d3>\d\d?)(?:st|nd|rd|th|-?го|\.)?\s+(?:of\s+)?(?P<n3>{_NAME})[^\W\d_]*
    | \b(?P<n4>{_NAME})[^\W\d_]*\.?\s+(?P<d4>\d\d?)(?:st|nd|rd|th)?\b
    """,
    re.VERBOSE,
)
_PHONE: Final = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().-]{3,}\d(?!\w)")
_YEARS: Final = re.compile(r"(?:\D*(?:19|20)\d\d\b)+\D*")
_DIGIT: Final = re.compile(r"\d")
_FEWEST_DIGITS: Final = 5
_MOST_DIGITS: Final = 15
_DIGITS_OF_A_NUMBER: Final = 10  # without the country's
_DIGITS_OF_A_LOCAL_NUMBER: Final = 7

PHONE: Final = "tel"

_ROMAN: Final = {
    numeral: str(number)
    for number, numeral in enumerate(
        [
            "I",
            "II",
            "III",
            "IV",
            "V",
            "VI",
            "VII",
            "VIII",
            "IX",
            "X",
            "XI",
            "XII",
            "XIII",
            "XIV",
            "XV",
            "XVI",
            "XVII",
            "XVIII",
            "XIX",
            "XX",
            "XXI",
        ],
        1,
    )
}
_OF_TWO: Final = "|".join(sorted((one for one in _ROMAN if len(one) > 1), key=len, reverse=True))
_SMALL: Final = "iii|ii|iv|viii|vii|ix|xii"
_ROMAN_NUMERAL: Final = re.compile(rf"(?<![\w&])(?:{_OF_TWO}|{_SMALL}|[IVX](?=\.?\s+[а-яё]))(?![\w&])")
_PERHAPS_ROMAN: Final = re.compile(r"[IVX]|ii|iv|ix|xi")
_UKRAINIAN: Final = re.compile(r"(?<!\w)[ІХVIX]{2,}(?!\w)")
_TO_LATIN: Final = str.maketrans("ІХ", "IX")
_ORDINALS: Final = """
первого второго третьего четвёртого пятого шестого седьмого восьмого девятого десятого одиннадцатого
двенадцатого тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого
девятнадцатого двадцатого двадцать_первого двадцать_второго двадцать_третьего двадцать_четвёртого
двадцать_пятого двадцать_шестого двадцать_седьмого двадцать_восьмого двадцать_девятого тридцатого
тридцать_первого
"""
_ENDING_OF_AN_ORDINAL: Final = re.compile(
    r"(?<=\d)(?:-[йяемхю]|-?(?:го|му|[ыо]й|[аи]я|[ыо]е|ую|ши|ші|th|nd|rd|st))\b"
)
_ORDINAL_ENDING: Final = "го "
_DAYS: Final = {
    day.replace("_", " ").replace("ё", "е"): str(number) for number, day in enumerate(_ORDINALS.split(), 1)
}
_DAY: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(_DAYS, key=len, reverse=True)).replace('е', '[её]')})(?=\s+(?:{_NAME}))",
    re.IGNORECASE,
)


def as_written(text: str) -> str:
    """Return a text with what was said as it is written: «двадцать первый» is 21, «10 месяц» is October."""
    text = _SPOKEN.sub(lambda found: str(_place(_TENS, found[1]) * 10 + 10 + _place(_UNITS, found[2])), text)
    return _NUMBERED_MONTH.sub(lambda found: _MONTH_NAMES.split()[int(found[1]) - 1], text)


def arabic(text: str) -> str:
    """Return a text with Roman numerals, ordinals, and the days of a month in words, in mere digits."""
    text = _ENDING_OF_AN_ORDINAL.sub("", text)
    if "ІІ" in text or "Х" in text:
        text = _UKRAINIAN.sub(lambda found: found[0].translate(_TO_LATIN), text)
    if _PERHAPS_ROMAN.search(text):
        text = _ROMAN_NUMERAL.sub(lambda found: _ROMAN[found[0].upper()], text)
    if _ORDINAL_ENDING not in text.lower():
        return text
    return _DAY.sub(lambda found: _DAYS[found[0].lower().replace("ё", "е")], text)


def figures(text: str) -> list[tuple[int, int, str]]:
    """Return where dates and numbers of five digits or more begin and end, and their one form."""
    if not _DIGIT.search(text):
        return []
    dates = [(found.start(), found.end(), form) for found in _DATE.finditer(text) if (form := _date(found))]
    phones = [
        (found.start(), found.end(), form) for found in _PHONE.finditer(text) if (form := _phone(found[0]))
    ]
    return [
        *dates,
        *(phone for phone in phones if all(phone[1] <= date[0] or date[1] <= phone[0] for date in dates)),
    ]


def is_whole_number(form: str) -> bool:
    """Tell whether it is a whole telephone number, so that its digits count in their order only."""
    return form.startswith(PHONE) and len(form) >= len(PHONE) + _DIGITS_OF_A_LOCAL_NUMBER


def same_number(asked: str, number: str) -> bool:
    """Tell whether a telephone number is meant, by all of it or its end, with or without 8 or a country."""
    asked, number = asked.removeprefix(PHONE).lstrip("0"), number.removeprefix(PHONE)
    if len(asked) > _DIGITS_OF_A_NUMBER:
        asked = asked[-_DIGITS_OF_A_NUMBER:]
    national = number[-_DIGITS_OF_A_NUMBER:]
    return len(asked) >= _FEWEST_DIGITS and (number.endswith(asked) or national.startswith(asked))


def _place(names: str, name: str) -> int:
    """Return which of the names it is, from 1."""
    return next(n for n, begins in enumerate(names.split(), 1) if name.lower() in begins.split("|"))


def _date(found: re.Match[str]) -> str:
    groups = {name: value for name, value in found.groupdict().items() if value}
    day = next(int(value) for name, value in groups.items() if name[0] == "d")
    month = next((int(value) for name, value in groups.items() if name[0] == "m"), 0)
    name = groups.get("n3") or groups.get("n4")
    if name:
        month = next(number for begin, number in _BEGINS if begin == name)
    return f"{month:02}on{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else ""  # noqa: PLR2004


def _phone(text: str) -> str:
    digits = "" if _YEARS.fullmatch(text) else "".join(filter(str.isdecimal, text))
    return PHONE + digits if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS else ""
