"""What a program reads of a tool error, beside the model's sentence: `code` and `retry_after_seconds`.

They stand in `_meta`, in both eras: structured content would take the sentence's place in hosts that show
a model nothing else.
"""

import math
from typing import Any, cast

KEY = "io.github.bitrix24-chat-mcp/error"


def error_data(code: str, retry_after: float | None = None) -> dict[str, Any]:
    """Return the `_meta` of a tool error; `retry_after` is in seconds, where it is known."""
    data: dict[str, Any] = {"code": code}
    if retry_after is not None:
        data["retry_after_seconds"] = max(1, math.ceil(retry_after))
    return {KEY: data}


def error_code(meta: object) -> str | None:
    """Return the code of a tool error of ours from its `_meta`, None where it is none."""
    data = cast("dict[str, Any]", meta).get(KEY) if isinstance(meta, dict) else None
    return cast("dict[str, str]", data)["code"] if data else None
