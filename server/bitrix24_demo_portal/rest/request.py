"""A request to `/rest/`, parsed as Bitrix24 does: what cannot be read is ignored."""

import re
from dataclasses import dataclass

from bitrix24_demo_portal.asgi.request import HttpRequest
from bitrix24_demo_portal.php import Obj, integer, parse_str

_PATH = re.compile(r"/rest/(?:(?P<user>[^/]+)/(?P<code>[^/]+)/)?(?P<method>[^/]+?)(?:\.json)?/?")
_CREDENTIALS = ("auth", "access_token")


@dataclass(slots=True)
class RestRequest:
    """A method with its parameters, and the credentials that came with them.

    `params` are as typed, without credentials and without `start`, which travels apart.
    """

    method: str
    params: Obj
    start: int
    user: str
    code: str
    token: str
    signed_link: bool


def parse_rest_request(http: HttpRequest) -> RestRequest | None:
    """Parse a request to `/rest/`; return None for any other address."""
    path = _PATH.fullmatch(http.path)
    if not path:
        return None
    params = {**parse_str(http.query), **http.form}
    token = _bearer(http) or next((str(params[name]) for name in _CREDENTIALS if params.get(name)), "")
    for name in _CREDENTIALS:
        params.pop(name, None)
    start = integer(params.pop("start", 0))
    return RestRequest(
        method=path["method"].lower(),
        params=params,
        start=start,
        user=path["user"] or "",
        code=path["code"] or "",
        token=token,
        signed_link="token" in params,
    )


def _bearer(http: HttpRequest) -> str:
    kind, _, token = http.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
