"""`python -m evals` proves the scorers with scripted models; MODEL and PEER judge others.

MODEL=provider/name   judge a model with this key holder's key, and write a table
PEER="command line"   judge another Bitrix24 server; {webhook} in it, or the variable that PEER_VARIABLE names
                      (BITRIX24_WEBHOOK_URL), is the address of the demo portal's webhook
"""

import asyncio
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bitrix24_chat_mcp.mcp_server.definitions import digest
from inspect_ai import Task, eval  # noqa: A004  # pyright: ignore[reportUnknownVariableType]
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog

from . import definitions, scripted
from .conversation import OURS, Server, converse
from .definitions import Definitions
from .scorers import portal_task
from .table import failed, page
from .tasks import tasks

RESULTS = Path(__file__).with_name("results")
LOGS = Path(__file__).with_name("logs")
AT_ONCE = 4
TURN_LIMIT = 20


def main() -> int:
    """Judge the model that MODEL names, else the scripted ones; return 0 if all is as it must be."""
    server = Server(os.environ.get("PEER") or OURS, os.environ.get("PEER_VARIABLE") or Server().variable)
    name = os.environ.get("MODEL")
    told = asyncio.run(_definitions(server))
    if not name:
        return max(_prove(plan, server, told) for plan in scripted.PLANS)
    log = _judge(name, server, told)
    written = RESULTS / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', name)}.md"
    RESULTS.mkdir(exist_ok=True)
    peer = server.command if server.command != OURS else ""
    written.write_text(page(log, name, peer, told.digest), "utf-8")
    print(written.read_text(encoding="utf-8"), f"\nWritten to {written}")
    return int(log.status != "success")


async def _definitions(server: Server) -> Definitions:
    webhook = "http://127.0.0.1:9/rest/1/0123456789abcdef/"
    told = await definitions.ask(server.words(webhook), server.environment(webhook))
    # The digest that the changelog names, which counts prompts, too; another server has only what it lists.
    return replace(told, digest=await digest()) if server.command == OURS else told


def _judge(model: str, server: Server, told: Definitions) -> EvalLog:
    samples = [Sample(id=task.id, input=task.prompt) for task in tasks().values()]
    task = Task(
        dataset=MemoryDataset(samples),
        solver=converse(server, told),
        scorer=portal_task(),
        name="bitrix24-chats",
        metadata={"definitions": told.digest, "server": server.command},
    )
    (log,) = eval(
        task,
        model=model,
        display="none",
        log_dir=str(LOGS),
        max_samples=AT_ONCE,
        turn_limit=TURN_LIMIT,
        fail_on_error=False,
    )
    return log


def _prove(plan: str, server: Server, told: Definitions) -> int:
    """Let a scripted model do all tasks; return 1 if it fails others than it must."""
    log = _judge(f"scripted/{plan}", server, told)
    must = {task.id for task in tasks().values() if plan in scripted.FAILS_EVERYTHING | task.fails}
    found = failed(log)
    print(f"{plan}: {len(tasks()) - len(found)} of {len(tasks())} passed, {len(must)} had to fail")
    wrong = [*_lines("failed", found.keys() - must, found), *_lines("passed", must - found.keys(), {})]
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


def _lines(what: str, names: Iterable[str], reasons: dict[str, str]) -> list[str]:
    return [f"  {name} {what}, and must not: {reasons.get(name, '')[:300]}" for name in sorted(names)]


if __name__ == "__main__":
    sys.exit(main())
