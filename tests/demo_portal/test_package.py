"""What the package promises to those who test with it."""

import ast
import textwrap
from typing import TYPE_CHECKING, Any

import bitrix24_demo_portal
import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable

PACKAGE = bitrix24_demo_portal


async def test_the_example_in_the_package_docstring_runs() -> None:
    text = textwrap.dedent((PACKAGE.__doc__ or "").split("like this:\n")[1].split("\nEvery field")[0])
    code = compile(text, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {name: getattr(PACKAGE, name) for name in PACKAGE.__all__} | {"httpx": httpx}
    running: Awaitable[None] = eval(code, names)  # noqa: S307 - our own text
    await running
    assert names["refused"].json()["error"] == "OPERATION_TIME_LIMIT"
