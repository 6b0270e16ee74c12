"""An audit line names the client program as it names itself: bounded, in one line, without secrets."""

import json
import logging
from typing import Any

import pytest
from bitrix24_chat_mcp.logs import AUDIT
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp_types import Implementation
from support.conversation import Era


async def audited(
    era: Era, portal: DemoPortal, program: Implementation, log: pytest.LogCaptureFixture
) -> Any:
    """Pin a chat with a client program; return the audit line."""
    settings = Settings.model_validate({"webhook_url": portal.webhook()})
    server = build_server(settings, HttpClient(transport=in_process(portal)))
    with log.at_level(logging.INFO, AUDIT):
        async with Client(server, mode=era, client_info=program) as client:
            await client.call_tool("pin_chat", {"dialog_id": "7"})
    (line,) = [record.getMessage() for record in log.records if record.name == AUDIT]
    assert "\n" not in line
    return json.loads(line)


async def test_the_audit_line_names_the_client_and_its_version(
    era: Era, portal: DemoPortal, caplog: pytest.LogCaptureFixture
) -> None:
    line = await audited(era, portal, Implementation(name="claude-code", version="2.1.240"), caplog)
    assert line["client"] == "claude-code 2.1.240"


async def test_a_client_s_name_is_bounded_and_forges_no_line(
    era: Era, portal: DemoPortal, caplog: pytest.LogCaptureFixture
) -> None:
    name = f'x"}}\n{{"user": "1"}}\x1b[31m\u202e {portal.webhook()} ' + "y" * 100_000
    line = await audited(era, portal, Implementation(name=name, version="z" * 100_000), caplog)
    assert len(line["client"]) <= 100
    assert line["client"].isprintable()
    assert portal.webhook().split("/")[-2] not in line["client"]
    assert line["user"] == "1"
