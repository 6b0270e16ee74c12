"""Hosts read, attach, complete and watch chats."""

import pytest
from bitrix24_chat_mcp.mcp_server.resources import CHAT, RECENT
from mcp import MCPError
from mcp_types import PromptReference, ReadResourceResult, ResourceTemplateReference, TextResourceContents
from support.conversation import Conversation, facts, text


def read(result: ReadResourceResult) -> str:
    (content,) = result.contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_the_recent_chats_are_a_resource_that_says_what_the_tool_says(converse: Conversation) -> None:
    async with converse() as client:
        listed = [str(resource.uri) for resource in (await client.list_resources()).resources]
        templates = (await client.list_resource_templates()).resource_templates
        resource = read(await client.read_resource(RECENT))
        tool = text(await client.call_tool("list_recent_chats"))
    assert listed == [RECENT, "ui://bitrix24/chats"]
    assert [template.uri_template for template in templates] == [CHAT]
    assert resource == tool


async def test_a_chat_is_a_resource_with_all_that_is_known_of_it(converse: Conversation) -> None:
    async with converse() as client:
        chat = read(await client.read_resource("bitrix24://chat/chat1201"))
    assert chat.splitlines()[:3] == [
        "dialog_id: chat1201",
        "title: Запуск сайта «Северный ветер»",
        "kind: group",
    ]
    assert "members: " in chat


async def test_a_workgroup_s_chat_is_a_resource_by_the_group_s_id_too(converse: Conversation) -> None:
    async with converse() as client:
        dialog_id = facts(await client.call_tool("pin_chat", {"dialog_id": "sg121"}))["dialog_id"]
        chat = read(await client.read_resource("bitrix24://chat/sg121"))
    assert chat.startswith(f"dialog_id: {dialog_id}\n")


@pytest.mark.parametrize("dialog_id", ["chat999999", "nonsense"])
async def test_an_unknown_chat_is_not_found(converse: Conversation, dialog_id: str) -> None:
    async with converse() as client:
        with pytest.raises(MCPError) as error:
            await client.read_resource(f"bitrix24://chat/{dialog_id}")
    assert error.value.code == -32602


async def test_a_failure_of_the_portal_is_told(converse: Conversation) -> None:
    async with converse(webhook_url=None) as client:
        with pytest.raises(MCPError, match="NOT_CONFIGURED: "):
            await client.read_resource(RECENT)


async def test_a_chat_s_id_is_completed_by_its_title_or_its_beginning(converse: Conversation) -> None:
    chat = ResourceTemplateReference(uri=CHAT)
    async with converse() as client:
        by_title = await client.complete(chat, {"name": "dialog_id", "value": "северный"})
        by_id = await client.complete(chat, {"name": "dialog_id", "value": "chat120"})
        of_none = await client.complete(chat, {"name": "title", "value": "северный"})
    assert by_title.completion.values == ["chat1201"]
    assert by_id.completion.values == ["chat1201", "chat1205", "chat1209"]
    assert of_none.completion.values == []


async def test_prompts_complete_their_arguments(converse: Conversation) -> None:
    async with converse() as client:
        kinds = await client.complete(PromptReference(name="triage_inbox"), {"name": "kinds", "value": "o"})
        days = await client.complete(PromptReference(name="tidy_pins"), {"name": "stale_days", "value": ""})
    assert kinds.completion.values == ["open", "openline", "other"]
    assert days.completion.values == ["7", "14", "30", "60"]


async def test_without_a_portal_nothing_is_completed(converse: Conversation) -> None:
    async with converse(webhook_url=None) as client:
        nothing = await client.complete(
            ResourceTemplateReference(uri=CHAT), {"name": "dialog_id", "value": "a"}
        )
    assert nothing.completion.values == []
