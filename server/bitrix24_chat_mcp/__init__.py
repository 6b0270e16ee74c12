"""An MCP server for a user's Bitrix24 chats.

The path of a tool call, down to the portal and back:

    host ── stdio | HTTP ──▶ mcp_server.transports (over HTTP behind auth)
      ▶ mcp_server.server, tools     names, arguments, errors, audit
      ▶ chats                        the use case: chat_list, pinning, history, marks or tidy
      ▶ runtime.context              whose portal: credentials, deadline
      ▶ portal.api.client            the REST method
      ▶ portal.transport             coalescing ▶ retry ▶ redirects ▶ scheduler (queue, batches, rate_limit)
      ▶ portal.oauth.refresh         renews a token that has expired
      ▶ portal.transport.http_client ──▶ Bitrix24 ──▶ portal.api.models ▶ chats ▶ answers ▶ the model

`portal.shared` holds what several servers share, `settings` reads the configuration, `commands` are for
people, `bitrix24_demo_portal` is the stand-in portal.
"""

__version__ = "0.1.0"
