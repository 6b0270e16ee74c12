"""Which of the user's chats are meant."""
