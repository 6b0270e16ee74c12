"""What the portal holds: people, chats, messages, tokens, and the fixtures from which they are made."""
