"""The one clock of the line to the portal: the event loop's, which may be a virtual one."""

import asyncio


def now() -> float:
    """Return the moment in seconds; only differences mean anything."""
    return asyncio.get_running_loop().time()
