"""An MCP server for a user's Bitrix24 chats.

The path of a tool call, here `pin_chat`, each module once on the way down:

    host ──▶ __main__                     the command line; settings
      ▶ mcp_server.transports             stdio, or HTTP behind auth
      ▶ mcp_server.server                 names, errors, audit
      ▶ mcp_server.tools                  arguments; an answer in two forms
      ▶ chats.pinning                     the use case; others are chat_list, history, marks, tidy
      ▶ portal.api.client                 the REST method
      ▶ portal.transport.coalescing       the pipeline's stages: one request for identical reads,
      ▶ portal.transport.retry            again where that can help,
      ▶ portal.transport.redirects        at the portal's present address,
      ▶ portal.transport.scheduler        when the rate limit allows it, perhaps in a batch
      ▶ portal.transport.http_client
      ▶ portal.transport.http_session ──▶ Bitrix24

`runtime.context` holds what the call needs, and `mcp_server.request_context` finds it: the user's
credentials, the deadline, the pipeline. For users who have signed in, `portal.oauth.refresh` stands before
the HTTP client. On the way back `portal.api.models` reads what the use case needs, and `answers` writes what
the model reads.

`portal.shared` holds what several servers share, `settings` reads the configuration, `commands` are for
people, `bitrix24_demo_portal` is the stand-in portal.
"""

__version__ = "0.1.0"
