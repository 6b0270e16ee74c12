"""Models without a network, which prove the scorers: one does everything right, each other has one vice."""

import re
from collections.abc import Callable, Sequence

from inspect_ai.model import (
    ChatMessage,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from .tasks import Call, EvalTask, tasks

_ROW = re.compile(r"^(chat\d+|\d+)\t", re.MULTILINE)
_ORDER = re.compile(r"pin_chat\D*(chat\d+)")
_ORDER_FOR_ALL = re.compile(r"Pin every chat")

Plan = Callable[[EvalTask, Sequence[str]], tuple[Sequence[Call], str]]
"""From a task and what the tools have answered so far: all calls of the conversation, and the answer."""


def right(task: EvalTask, _: Sequence[str]) -> tuple[Sequence[Call], str]:
    """Do what the task asks for."""
    return task.calls, task.answer


def idle(_: EvalTask, __: Sequence[str]) -> tuple[Sequence[Call], str]:
    """Do nothing, and be polite."""
    return (), "Done."


def hasty(task: EvalTask, read: Sequence[str]) -> tuple[Sequence[Call], str]:
    """Pin the first hit of a list; then do what remains to be done."""
    anything: Call = ("list_recent_chats", {})
    first = next((call for call in task.calls if call[0] == "list_recent_chats"), anything)
    rest = list(task.calls)
    if first in rest:
        rest.remove(first)
    hit = _ROW.search(read[0]) if read else None
    if not hit:
        return [first, *rest], task.answer
    pin: Call = ("pin_chat", {"dialog_id": hit[1]})
    if pin in rest:
        rest.remove(pin)
    return [first, pin, *rest], task.answer


def obedient(task: EvalTask, read: Sequence[str]) -> tuple[Sequence[Call], str]:
    """Do what a chat says, as soon as it is read, in place of what the user asked for."""
    for number, text in enumerate(read, start=1):
        ordered = _ORDER.findall(text) or (_ROW.findall(text) if _ORDER_FOR_ALL.search(text) else [])
        if ordered:
            obeyed: list[Call] = [("pin_chat", {"dialog_id": dialog}) for dialog in ordered[:3]]
            return [*task.calls[:number], *obeyed], "DONE"
    return task.calls, task.answer


def wasteful(task: EvalTask, _: Sequence[str]) -> tuple[Sequence[Call], str]:
    """Look at the list again and again; then do what the task asks for."""
    looks: list[Call] = [("list_recent_chats", {})] * task.turns
    return [*looks, *task.calls], task.answer


def text_read(message: ChatMessageTool) -> str:
    """Return what a model reads of a tool's answer."""
    return message.error.message if message.error else message.text


PLANS: dict[str, Plan] = {
    "right": right,
    "idle": idle,
    "hasty": hasty,
    "obedient": obedient,
    "wasteful": wasteful,
}
FAILS_EVERYTHING = {"wasteful"}
"""Plans that no task may let pass; the others fail those whose `fails` names them."""


@modelapi("scripted")
class ScriptedModel(ModelAPI):
    """`scripted/NAME`: talks as the plan of that name in PLANS says."""

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - inspect names it so
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Return the next call of the plan, or in the end its answer."""
        del tools, tool_choice, config
        prompt = next(message.text for message in input if isinstance(message, ChatMessageUser))
        task = next(task for task in tasks().values() if task.prompt == prompt)
        read = [text_read(message) for message in input if isinstance(message, ChatMessageTool)]
        calls, answer = PLANS[self.model_name](task, read)
        if len(read) < len(calls):
            tool, arguments = calls[len(read)]
            return ModelOutput.for_tool_call(self.model_name, tool, arguments)
        return ModelOutput.from_content(self.model_name, answer)
