"""What came of marking, muting, hiding: records as published in the output schemas, and their texts."""

from typing import Literal

from pydantic import AliasChoices, Field

from .records import Record
from .text import named, origin

Mark = Literal["read", "unread"]


class MarkUndo(Record, frozen=True, serialize_by_alias=True):
    """The arguments of mark_chat that take it back."""

    dialog_id: str
    mark: Mark = Field(validation_alias=AliasChoices("as", "mark"), serialization_alias="as")
    up_to: int = 0


class MarkOutcome(Record, frozen=True):
    """What came of marking a chat."""

    dialog_id: str
    title: str = ""
    mark: Mark = Field(description="what was asked for")
    up_to: int = 0
    changed: bool
    unread_before: int = Field(description="messages")
    unread: int | None = Field(default=None, description="messages now, if known")
    marked_unread: bool = Field(default=False, description="by hand, now")
    undo: MarkUndo | None = None
    notes: list[str] = Field(default=[])
    portal: str = ""


class MuteUndo(Record, frozen=True):
    """The arguments of mute_chat that take it back."""

    dialog_id: str
    muted: bool


class MuteOutcome(Record, frozen=True):
    """What came of muting or unmuting a chat."""

    dialog_id: str
    title: str = ""
    muted: bool
    muted_before: bool | None = Field(default=None, description="if known")
    changed: bool | None = Field(default=None, description="if known")
    undo: MuteUndo | None = None
    notes: list[str] = Field(default=[])
    portal: str = ""


class HideOutcome(Record, frozen=True):
    """What came of hiding a chat."""

    dialog_id: str
    title: str = ""
    hidden: bool
    declined: bool = Field(default=False, description="the user said no")
    marked_read: int = Field(default=0, description="messages that were unread")
    notes: list[str] = Field(default=[])
    portal: str = ""


class ReadAllOutcome(Record, frozen=True):
    """What came of marking everything as read."""

    done: bool
    declined: bool = Field(default=False, description="the user said no")
    messages: int = Field(description="unread before")
    chats: int = Field(description="with unread messages or marks before")
    notes: list[str] = Field(default=[])
    portal: str = ""


def mark_outcome(outcome: MarkOutcome) -> str:
    """Say what came of marking a chat."""
    name = named(outcome.dialog_id, outcome.title)
    if outcome.changed:
        bound = {"read": " up to ", "unread": " from "}[outcome.mark] + str(outcome.up_to)
        said = [f"Marked {name} as {outcome.mark}{bound if outcome.up_to else ''}"]
    else:
        said = [f"{name} was so already, nothing changed"]
    now = "" if outcome.unread is None else f", {outcome.unread} now"
    said.append(f"{outcome.unread_before} unread before{now}")
    said += ["marked unread by hand"] if outcome.marked_unread else []
    if outcome.undo:
        written = ", ".join(f"{name}={value}" for name, value in outcome.undo.compact().items())
        said.append(f"undo: {written}")
    return origin(outcome.portal) + "; ".join([*said, *outcome.notes])


def mute_outcome(outcome: MuteOutcome) -> str:
    """Say what came of muting or unmuting a chat."""
    name = named(outcome.dialog_id, outcome.title)
    state = "muted" if outcome.muted else "not muted"
    if outcome.changed is False:
        said = [f"{name} was {state} already, nothing changed"]
    else:
        said = [f"{'Muted' if outcome.muted else 'Unmuted'} {name}"]
    if outcome.changed:
        said.append(f"{'muted' if outcome.muted_before else 'not muted'} before")
    if outcome.undo:
        said.append(f"undo: dialog_id={outcome.undo.dialog_id}, muted={str(outcome.undo.muted).lower()}")
    return origin(outcome.portal) + "; ".join([*said, *outcome.notes])


def hide_outcome(outcome: HideOutcome) -> str:
    """Say what came of hiding a chat."""
    name = named(outcome.dialog_id, outcome.title)
    if not outcome.hidden:
        return origin(outcome.portal) + f"The user said no: {name} was not hidden, nothing changed"
    said = [f"Hid {name}", f"unread messages marked read with it: {outcome.marked_read}"]
    return origin(outcome.portal) + "; ".join([*said, *outcome.notes])


def read_all_outcome(outcome: ReadAllOutcome) -> str:
    """Say what came of marking everything as read."""
    count = f"{outcome.messages} messages in {outcome.chats} chats"
    if outcome.declined:
        said = [f"The user said no: {count} stay unread, nothing changed"]
    elif outcome.done:
        said = [f"Marked all as read: {count}"]
    else:
        said = ["Nothing was unread, nothing changed"]
    return origin(outcome.portal) + "; ".join([*said, *outcome.notes])
