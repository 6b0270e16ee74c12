"""A Bitrix24 portal for tests and demonstrations: an ASGI application with the REST methods of the messenger.

It behaves as Bitrix24 does, oddities included: limits, errors, batches, OAuth, old and new builds. It uses
nothing of `bitrix24_chat_mcp`, answers the same for the same seed, and waits by asyncio only, so that a test
may use virtual time. A test of any client can look like this:

    portal = DemoPortal(chats=57, seed=1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(portal), base_url=portal.webhook()) as client:
        chats = (await client.post("im.recent.get")).json()["result"]
        portal.fail("im.recent.pin", Fault(error="OPERATION_TIME_LIMIT"), calls="1-2")
        refused = await client.post("im.recent.pin", json={"DIALOG_ID": chats[0]["id"], "PIN": "Y"})
    assert refused.status_code == 429
    assert [request.method for request in portal.requests] == ["im.recent.get", "im.recent.pin"]

Every field of `Options` is an argument of `DemoPortal`, and may be changed while it runs. `asgi.server`
serves a portal on a socket of the loopback interface. A fault that drops the connection calls
`scope["extensions"]["bitrix24_demo.hang_up"]`, a function without arguments that the server provides.

    portal        the ASGI application, and all that a test does with it
    oauth         the authorization page and the token endpoint
    rest/         authentication, the methods, and the JSON around their answers
    asgi/         HTTP requests, responses, a server
    data/         people, chats, messages and tokens, and the data files from which they are made
    request_log, options, faults, php
"""

from .data.chat_fixtures import ChatFixture
from .faults import Fault
from .options import Options
from .portal import DemoPortal
from .request_log import LoggedRequest

__all__ = ["ChatFixture", "DemoPortal", "Fault", "LoggedRequest", "Options"]
