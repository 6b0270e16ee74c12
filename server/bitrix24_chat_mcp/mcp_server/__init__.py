"""What the server shows over MCP."""
