"""What a server tells a model before the first call, and the digest that names it."""

import hashlib
import json
from dataclasses import dataclass

from mcp import Client, StdioServerParameters


@dataclass(frozen=True, slots=True)
class Definitions:
    """A server's instructions, and the digest of these and its tools."""

    instructions: str
    digest: str


async def ask(command: list[str], env: dict[str, str]) -> Definitions:
    """Start a server and ask for its definitions."""
    async with Client(StdioServerParameters(command=command[0], args=command[1:], env=env)) as client:
        tools = (await client.list_tools()).tools
        instructions = client.instructions or ""
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    written = json.dumps([instructions, *listed], ensure_ascii=False, sort_keys=True)
    return Definitions(instructions, hashlib.sha256(written.encode()).hexdigest()[:8])
