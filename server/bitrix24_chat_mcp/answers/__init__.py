"""From chats to what the model reads: choosing, wording and making foreign text safe; pure, no I/O."""
