"""The data files of this package."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_json(name: str) -> Any:  # noqa: ANN401 - each file has a shape of its own
    """Read a data file; what it returns is shared, and must not be changed."""
    return json.loads((files("bitrix24_demo_portal.data") / "json" / f"{name}.json").read_bytes())
