"""Sessions of the protocol's earlier era, bounded for each caller as well as in all."""

from importlib.metadata import version
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from bitrix24_chat_mcp.settings.load import ConfigError
from bitrix24_chat_mcp.settings.sections import HttpSettings


class BoundedSessions(StreamableHTTPSessionManager):
    """The SDK's sessions, of which one caller has at most `http.max_sessions_per_caller`.

    With `stateless` there are none: then any server answers any request of that era. The SDK has no public
    place for this bound. Raises ConfigError where its private one is gone: otherwise another version of the
    SDK would switch the bound off without a word.
    """

    def __init__(
        self,
        server: Server[Any],
        http: HttpSettings,
        security: TransportSecuritySettings,
        *,
        stateless: bool = False,
    ) -> None:
        super().__init__(
            server,
            security_settings=security,
            session_idle_timeout=http.session_idle_seconds,
            max_request_body_size=http.max_body_bytes,
            max_sessions=http.max_sessions,
            stateless=stateless,
        )
        self._per_caller = http.max_sessions_per_caller
        if not (hasattr(StreamableHTTPSessionManager, "_admit_session") and hasattr(self, "_session_owners")):
            raise ConfigError(
                f"mcp {version('mcp')} is installed, in which sessions cannot be bounded for each caller; "
                "install mcp 2.3."
            )

    @property
    def count(self) -> int:
        """Return how many sessions are open."""
        return len(self._server_instances)

    # The SDK decides here, under its lock, whether a session is opened; None is answered with 503.
    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        if requestor and self._count(requestor["subject"]) >= self._per_caller:
            return None
        return super()._admit_session(requestor)

    def _count(self, subject: str | None) -> int:
        return sum(owner["subject"] == subject for owner in self._session_owners.values())
