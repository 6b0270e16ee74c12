"""The results as Markdown."""

from datetime import UTC, datetime

from bitrix24_chat_mcp import __version__
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import CORRECT, INCORRECT, Score

from .scorers import JUDGES

_COLUMNS = ("Task", "Passed", *JUDGES, "Turns", "Requests", "Read from tools", "Tokens", "What is wrong")


def failed(log: EvalLog) -> dict[str, str]:
    """Return the tasks that failed, each with what is wrong; the errors of those that broke off."""
    found = {str(sample.id): _score(sample) for sample in log.samples or []}
    wrong = {name: score.explanation or "" for name, score in found.items() if score.value != CORRECT}
    broken = {str(sample.id): sample.error.message for sample in log.samples or [] if sample.error}
    return wrong | broken


def page(log: EvalLog, model: str, peer: str, digest: str) -> str:
    """Return the page of one model's results."""
    samples = log.samples or []
    passed = len(samples) - len(failed(log))
    server = f"`{peer}`" if peer else f"bitrix24-chat-mcp {__version__}"
    lines = [
        f"# {model}, {passed} of {len(samples)} tasks",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {server}, definitions {digest}. {_total(samples)}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *map(_row, samples),
    ]
    return "\n".join(lines) + "\n"


def _total(samples: list[EvalSample]) -> str:
    def whole(name: str) -> int:
        return sum((_score(sample).metadata or {}).get(name, 0) for sample in samples)

    tokens = f"{whole('read'):,} tokens read from tools, {sum(map(_tokens, samples)):,} tokens used"
    return f"In all {whole('turns')} turns, {whole('requests')} requests, {tokens}."


def _row(sample: EvalSample) -> str:
    score = _score(sample)
    told = score.metadata or {}
    marks = ["yes" if score.value == CORRECT else "**no**"]
    marks += ["" if told.get(name, True) else "✗" for name in JUDGES]
    figures = [str(told.get(name, "")) for name in ("turns", "requests", "read")]
    wrong = (sample.error.message if sample.error else score.explanation or "").replace("|", "\\|")
    cells = [str(sample.id), *marks, *figures, str(_tokens(sample)), " ".join(wrong.split())]
    return f"| {' | '.join(cells)} |"


def _tokens(sample: EvalSample) -> int:
    return sum(usage.total_tokens for usage in sample.model_usage.values())


def _score(sample: EvalSample) -> Score:
    return next(iter((sample.scores or {}).values()), Score(value=INCORRECT))
