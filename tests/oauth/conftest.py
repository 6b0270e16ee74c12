"""A user who has signed in, and the folder that keeps the tokens."""

from support.sign_ins import base, connect, environment, folder, kept, portal

__all__ = ["base", "connect", "environment", "folder", "kept", "portal"]
