"""What attacks on the authorization server say over HTTP: registrations, authorization requests, forms."""

from typing import Any

import httpx
from auth.test_grant_tokens import CHALLENGE

from support.team import BACK


async def registered(http: httpx.AsyncClient, **metadata: Any) -> httpx.Response:
    """Register a public client."""
    asked = {"redirect_uris": [BACK], "token_endpoint_auth_method": "none", **metadata}
    return await http.post("/register", json=asked)


async def client_id(http: httpx.AsyncClient, **metadata: Any) -> str:
    return (await registered(http, **metadata)).json()["client_id"]


def request_of(client_id: str, **more: str) -> dict[str, str]:
    """Write the parameters of an authorization request; one that is empty is left out."""
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "redirect_uri": BACK,
        "state": "s",
        **more,
    }
    return {name: value for name, value in asked.items() if value}


async def authorize(http: httpx.AsyncClient, client_id: str, **more: str) -> httpx.Response:
    return await http.get("/authorize", params=request_of(client_id, **more))


async def consent_page(http: httpx.AsyncClient, client_id: str, **more: str) -> httpx.Response:
    """Ask for authorization, and go where that leads."""
    return await http.get((await authorize(http, client_id, **more)).headers["location"])
