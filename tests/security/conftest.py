"""Attacks meet the same server, portal and folder as a team does."""

from support.team import folder, portal, serve

__all__ = ["folder", "portal", "serve"]
