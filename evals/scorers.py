"""How a conversation is judged: by the portal afterwards, the answer, what was asked, and what it cost."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import bpe_openai
from inspect_ai.model import ChatMessageAssistant, ChatMessageTool
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from .conversation import PIN
from .scripted import text_read
from .tasks import EvalTask, tasks

_READ = re.compile(
    r"(^|.*\.)(get|list|search|last|current|count|counters|fields)$|batch|profile|scope|methods?(\.get)?|.*\.info|"
    r"server\.time|.*\.search\..*",
    re.IGNORECASE,
)
"""REST methods that change nothing; any other is forbidden in every task, but for pins that it is about."""

Judge = Callable[[EvalTask, TaskState, dict[str, Any]], list[str]]
"""From a task, its conversation and its outcome: what is wrong."""


def wrong_state(task: EvalTask, _: TaskState, outcome: dict[str, Any]) -> list[str]:
    """Compare the pins with what they should be; nothing else may have changed."""
    wanted = set(outcome["before"]) - task.unpinned | task.pinned
    found = set(outcome["after"])
    wrong = [f"pinned: {dialog}" for dialog in sorted(found - wanted)]
    wrong += [f"not pinned: {dialog}" for dialog in sorted(wanted - found)]
    return wrong + ["something else was changed"] * outcome["touched"]


def wrong_facts(task: EvalTask, state: TaskState, _: dict[str, Any]) -> list[str]:
    """Look for what the answer must say, and must not."""
    said = state.output.completion
    found = [(pattern, re.search(pattern, said, re.IGNORECASE | re.MULTILINE)) for pattern in task.says]
    wrong = [f"does not say: {pattern}" for pattern, match in found if not match]
    if not said.strip():
        wrong.append("no answer")
    return wrong + [f"says: {pattern}" for pattern in task.never if re.search(pattern, said, re.IGNORECASE)]


def wrong_requests(task: EvalTask, _: TaskState, outcome: dict[str, Any]) -> list[str]:
    """Look for what should not have been asked of the portal."""
    asked: list[tuple[str, str]] = outcome["asked"]
    may = {f"+{dialog}" for dialog in task.pinned | task.tried} | {f"-{dialog}" for dialog in task.unpinned}
    wrong = [
        f"forbidden: {method} {change}".strip()
        for method, change in asked
        if not (change in may if method == PIN else _READ.fullmatch(method))
    ]
    if outcome["requests"] > task.requests:
        wrong.append(f"{outcome['requests']} requests, at most {task.requests} are needed")
    return wrong


def wrong_costs(task: EvalTask, state: TaskState, _: dict[str, Any]) -> list[str]:
    """Compare turns and tokens with what the task may cost."""
    costs = ((turns(state), task.turns, "turns"), (tokens_read(state), task.tokens, "tokens from tools"))
    return [f"{spent} {what}, at most {most}" for spent, most, what in costs if spent > most]


def turns(state: TaskState) -> int:
    """Count the turns of the model."""
    return sum(isinstance(message, ChatMessageAssistant) for message in state.messages)


def tokens_read(state: TaskState) -> int:
    """Count the tokens, of o200k_base, that the model read from tools: the same for every model."""
    texts = (text_read(message) for message in state.messages if isinstance(message, ChatMessageTool))
    return sum(len(_encoding().encode(text)) for text in texts)


@cache
def _encoding() -> Any:  # noqa: ANN401 - the package has no types
    return bpe_openai.get_encoding("o200k_base")


JUDGES: dict[str, Judge] = {
    "state": wrong_state,
    "facts": wrong_facts,
    "requests": wrong_requests,
    "cost": wrong_costs,
}


@scorer(metrics=[accuracy()])
def portal_task() -> Scorer:
    """Judge a conversation in every way; it is correct when nothing at all is wrong."""

    async def score(state: TaskState, target: Target) -> Score:
        del target
        task, outcome = tasks()[str(state.sample_id)], state.store.get("outcome")
        if outcome is None:
            return Score(value=INCORRECT, explanation="the conversation did not end")
        found = {name: judge(task, state, outcome) for name, judge in JUDGES.items()}
        wrong = [f"{name}: {what}" for name, complaints in found.items() for what in complaints]
        figures = {"turns": turns(state), "read": tokens_read(state), "requests": outcome["requests"]}
        judged = {name: not complaints for name, complaints in found.items()}
        value = INCORRECT if wrong else CORRECT
        return Score(value=value, explanation="; ".join(wrong), metadata={**judged, **figures})

    return score
