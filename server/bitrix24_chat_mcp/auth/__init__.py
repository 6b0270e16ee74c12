"""Authentication over HTTP for a whole team, and the authorization server that MCP clients sign in at.

setup             builds all of it around the MCP endpoint
middleware        finds out whose a request is: by a token of this server, a webhook, or the bearer token
webhooks          lets the portal confirm callers' webhooks
endpoints         what MCP clients call: authorize, token, register, revoke, metadata
consent           the routes of a sign-in: the question to the user, and the way back from the portal
pages, page_texts their pages as HTML, in Russian and English
provider          the authorization server behind both: which codes and tokens are valid
grants            which user has let which client in, and the tokens for that
pending           authorizations under way, sealed into what the browser carries
attempts          limits what a network can make the server ask of Bitrix24
clients           the clients: registered, or described by a metadata document
client_documents  fetches those documents
redirect_uris     where a client may have its users sent
one_time_marks    what must not be used twice
sealing           values that are given out and cannot be read or changed
"""
