"""Finding the chat that is meant by a title, however it was typed."""
