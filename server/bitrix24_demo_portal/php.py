"""PHP's habits that a caller can see: json_encode, parse_str, arrays, loose comparison."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import cast
from urllib.parse import parse_qsl

Obj = dict[str, object]

_ESCAPE = re.compile(r"\\.")
_ALWAYS_ESCAPED = {
    "/": "\\/",
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "'": "\\u0027",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_SUBSCRIPT = re.compile(r"\[([^\]]*)\]")


def encode(value: object, *, ascii_only: bool = False) -> bytes:
    r"""Write JSON on one line with the escapes of Bitrix24 (`\\/`, `\\u003C`, `\\u0022`), non-ASCII raw.

    `ascii_only` is how builds up to 2024 wrote it. Lone surrogates raise UnicodeEncodeError.
    """
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))
    if "\\" in text:
        text = _ESCAPE.sub(lambda pair: "\\u0022" if pair[0] == '\\"' else pair[0], text)
    for plain, escaped in _ALWAYS_ESCAPED.items():
        text = text.replace(plain, escaped)
    return text.encode()


def array(
    pairs: Mapping[int, object] | Mapping[str, object] | Mapping[int | str, object],
) -> Obj | list[object]:
    """Turn a PHP array into JSON: `[]` when empty, a list when the keys count from 0, else an object."""
    if all(str(key) == str(index) for key, index in zip(pairs, count(), strict=False)):
        return list(pairs.values())
    return {str(key): value for key, value in pairs.items()}


def number(value: float) -> float:
    """Print a float without a fraction as an integer."""
    return int(value) if value == int(value) else value


def loosely_n(value: object) -> bool:
    """Compare `value == 'N'` as PHP does: a JSON `true` is, as any such string is true; `false` is not."""
    return value is True or value == "N"


def string(value: object) -> str:
    """PHP's `(string)` of a scalar."""
    if value is None or value is False:
        return ""
    return "1" if value is True else str(value)


def integer(value: object) -> int:
    """PHP's `(int)`: leading digits count, anything else is 0."""
    if isinstance(value, bool | int | float):
        return int(value)
    digits = re.match(r"\s*[+-]?\d+", value) if isinstance(value, str) else None
    return int(digits[0]) if digits else 0


def parse_str(text: str) -> Obj:
    """Parse a query string or a form body, with `a[b][]=c` nested."""
    return nest(parse_qsl(text, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, object]]) -> Obj:
    """Form fields as PHP arrays: dictionaries whose keys are strings, `[]` counting from "0"."""
    fields: Obj = {}
    for name, value in pairs:
        head = name.split("[", 1)[0].replace(".", "_").replace(" ", "_")
        _place(fields, [head, *_SUBSCRIPT.findall(name[len(head) :])], value)
    return fields


def _place(fields: Obj, path: list[str], value: object) -> None:
    key = path[0] or str(len(fields))
    if len(path) == 1:
        fields[key] = value
        return
    inner = fields.get(key)
    if not isinstance(inner, dict):
        inner = fields[key] = {}
    _place(cast("Obj", inner), path[1:], value)
