"""What texts cost a model, in tokens of o200k_base."""

import json
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the package's own business
    import bpe_openai

    _encoding = bpe_openai.get_encoding("o200k_base")


def count(text: str) -> int:
    """Count the tokens of a text."""
    return len(_encoding.encode(text))


def count_json(value: object) -> int:
    """Count the tokens of a structure as hosts show it to a model."""
    return count(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
