"""One server for a whole team: who may come in over HTTP, and how people sign in with Bitrix24.

gate        whose request is it? a token of ours, a webhook in a header, a bearer token
provider    the authorization server that MCP clients meet: registration, codes, tokens
pages       the two pages in between: may this client see your chats, and the way back from the portal
visits      sign-ins under way
grants      who has let which client in, and the tokens for that
clients     the clients: registered, or described by a document at their address
"""
