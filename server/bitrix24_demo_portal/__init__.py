"""A Bitrix24 portal to try things on: an ASGI application that behaves as Bitrix24 does, quirks included.

    portal = DemoPortal(chats=57, seed=1)
    await portal(scope, receive, send)                      # mount it anywhere
    portal.webhook()                                        # https://demo.bitrix24.example/rest/1/<code>/
    portal.fail("im.recent.pin", Fault(error="OPERATION_TIME_LIMIT"), calls="1-2")
    portal.requests                                         # everything that came in

It shares no code with the rest of the package, gives the same answers for the same seed, and waits only on
asyncio's clock. Every field of `Options` is an argument of `DemoPortal`, and may be changed while it runs.

Over the wire the same power lies under `/_demo/`, which no real portal has; bodies are JSON:

    GET    /_demo/               addresses of the users' webhooks, and the application's credentials
    GET    /_demo/requests       what came in (DELETE forgets it)
    POST   /_demo/faults         {"method": "*", "fault": {"status": 502, "html": true}, "calls": "1-3"}
    DELETE /_demo/faults         let everything work again
    POST   /_demo/options       {"statuses": "docs", "uninstalled": true, "restricted": [7], ...}
    POST   /_demo/clock          {"advance": 3600}
    POST   /_demo/say            {"dialog_id": "chat1201", "author": 9, "text": "..."}
    POST   /_demo/reset          a fresh world, an empty bucket, no faults, no requests

A fault that drops the connection calls `scope["extensions"]["bitrix24_demo.hang_up"]`, a function without
arguments that the server provides; `demo.serve` does.
"""

from bitrix24_demo_portal.data.chat_fixtures import ChatFixture

from .faults import Fault
from .portal import DemoPortal

__all__ = ["ChatFixture", "DemoPortal", "Fault"]
