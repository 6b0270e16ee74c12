"""Who may come in over HTTP, and the pages on which people sign in."""
