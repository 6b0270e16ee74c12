"""The method `batch`: up to 50 commands in one request, which may refer to each other's results."""

import re
from collections.abc import Callable
from typing import cast

from bitrix24_demo_portal.php import Obj, array, integer, parse_str, string
from bitrix24_demo_portal.request_log import LoggedCommand

from .call import MethodResult
from .errors import RestError

_MOST = 50
_PARTS = ("result", "result_error", "result_total", "result_next", "result_time")
_FORBIDDEN = {"batch", "upload", "download"}
_REFERENCE = re.compile(r"\$(result|result_error|result_total|result_next)((?:\[[^\]]*\])+)")


Results = dict[str, Obj]
"""The parts of the answer by name, each by the names of the commands."""

Run = Callable[[str, Obj], tuple[MethodResult, Obj]]
"""Calls a method with parameters; returns its result and its `time`, or raises RestError."""


def run(params: Obj, log: list[LoggedCommand], call: Run) -> Obj:
    """Run the commands in order; with `halt` the first error stops them."""
    upper = {name.upper(): value for name, value in params.items()}
    results: Results = {part: {} for part in _PARTS}
    for place, (name, command) in enumerate(_commands(upper.get("CMD"))):
        method, _, query = command.partition("?")
        sent = cast("Obj", _resolved(parse_str(query), results))
        log.append(LoggedCommand(method.lower(), sent))
        try:
            _check(place, method.lower())
            _note(name, call(method.lower(), sent), results)
        except RestError as error:
            log[-1].error = error.code
            results["result_error"][name] = _error_body(error)
            if _is_true(upper.get("HALT")):
                break
    return {part: array(values) for part, values in results.items()}


def _commands(cmd: object) -> list[tuple[str, str]]:
    if isinstance(cmd, list):
        return [(str(place), string(command)) for place, command in enumerate(cast("list[object]", cmd))]
    if isinstance(cmd, dict):
        return [(name, string(command)) for name, command in cast("Obj", cmd).items()]
    return []


def _is_true(halt: object) -> bool:
    return halt is True or integer(halt) != 0


def _check(place: int, method: str) -> None:
    if place >= _MOST:
        raise RestError("ERROR_BATCH_LENGTH_EXCEEDED")
    if method in _FORBIDDEN:
        raise RestError("ERROR_BATCH_METHOD_NOT_ALLOWED")


def _note(name: str, answer: tuple[MethodResult, Obj], results: Results) -> None:
    page, time = answer
    results["result"][name] = page.result
    results["result_time"][name] = time
    if page.total is not None:
        results["result_total"][name] = page.total
    if page.next is not None:
        results["result_next"][name] = page.next


def _error_body(error: RestError) -> Obj:
    """Return an error's body; inside a batch, a missing scope has no text."""
    return error.body() | ({"error_description": ""} if error.code == "insufficient_scope" else {})


def _resolved(value: object, results: Results) -> object:
    """Replace references by the results that they name; all values stay strings, or arrays of strings."""
    if isinstance(value, dict):
        return {name: _resolved(inner, results) for name, inner in cast("Obj", value).items()}
    text = string(value)
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return _strings(_lookup(whole, results))
    return _REFERENCE.sub(lambda found: string(_strings(_lookup(found, results))), text)


def _lookup(reference: re.Match[str], results: Results) -> object:
    value = cast("object", results[reference[1]])
    for key in re.findall(r"\[([^\]]*)\]", reference[2]):
        if isinstance(value, list):
            value = dict(enumerate(cast("list[object]", value))).get(integer(key))
        elif isinstance(value, dict):
            value = cast("Obj", value).get(key)
        else:
            return None
    return value


def _strings(value: object) -> object:
    if isinstance(value, dict):
        return {name: _strings(inner) for name, inner in cast("Obj", value).items()}
    if isinstance(value, list):
        return [_strings(inner) for inner in cast("list[object]", value)]
    return string(value)
