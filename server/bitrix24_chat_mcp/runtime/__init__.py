"""What a running server holds: its context, its access to the portal, its caller, its cache of chats."""
