"""A team's portal, its server and the folder of its sign-ins."""

from support.team import folder, portal, serve

__all__ = ["folder", "portal", "serve"]
