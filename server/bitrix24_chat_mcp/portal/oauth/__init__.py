"""Signing in with Bitrix24: the application, the refresh of tokens, and where they are stored."""
