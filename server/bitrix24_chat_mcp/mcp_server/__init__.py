"""What MCP shows: tools, resources, prompts, completion, subscriptions, over stdio and HTTP."""
