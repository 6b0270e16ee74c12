"""One server for a whole team: who may come in over HTTP, and how people sign in with Bitrix24.

gate        whose request is it? a token of ours, a webhook in a header, a bearer token
endpoints   what MCP clients call: authorize, token, register, revoke, and the documents that lead there
provider    the authorization server behind them: codes, tokens, whose they are
consent     the pages in between: may this client see your chats, and the way back from the portal
pending     authorizations under way, sealed into what the browser carries
grants      who has let which client in, and the tokens for that
clients     the clients: registered, or described by a document at their address
documents   fetches those documents
redirects   where a client may have people sent
sealing     values that are given out and cannot be read or changed
"""
