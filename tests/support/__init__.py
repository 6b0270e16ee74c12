"""What several tests share: conversations, commands, servers, messages over HTTP."""
