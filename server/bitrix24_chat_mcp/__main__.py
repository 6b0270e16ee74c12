"""The command line: argv + environment + file -> settings -> a way to serve.

stdout belongs to the protocol, or to the results of the commands that are for people. How a command ends,
with which line on stderr and which exit status, is decided in `commands.console`.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from . import __version__

Arguments = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    options = vars(_parser().parse_args(argv))
    run = options.pop("run")
    try:
        status = run(options)
        if not sys.stdout.closed:  # the protocol's transport closes it
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - no command ends in a traceback
        from .commands.console import report  # noqa: PLC0415 - `--version` and `--help` need no pydantic

        return report(error)
    return status


def _serve(options: Arguments) -> int:
    # Collections that walk half-loaded modules and half-built schemas cost a tenth of the start.
    gc.disable()
    from .commands.console import end_at_interrupts, load_settings  # noqa: PLC0415
    from .mcp_server import app, transports  # noqa: PLC0415

    settings = load_settings(_nested(options))
    server = app.build_server(settings)
    gc.freeze()
    gc.enable()
    if settings.transport == "stdio":
        end_at_interrupts()
    transports.serve(server, settings)
    return 0


def _check(options: Arguments) -> int:
    from .commands import check  # noqa: PLC0415

    return check.run(_nested(options))


def _demo(_: Arguments) -> int:
    from .commands import demo  # noqa: PLC0415

    return demo.run()


def _portal(options: Arguments) -> int:
    from bitrix24_demo_portal import DemoPortal  # noqa: PLC0415
    from bitrix24_demo_portal.asgi.server import serve  # noqa: PLC0415

    from .settings.load import ConfigError  # noqa: PLC0415

    port = options.pop("port")
    try:
        portal = DemoPortal(**options)
    except ValueError as error:
        raise ConfigError(str(error)) from None

    def started(port: int) -> None:
        base = f"http://127.0.0.1:{port}"
        print(f"Demo portal at {base}\nwebhook_url = {portal.webhook(base=base)}", flush=True)

    try:
        serve(portal, port, started=started)
    except OSError as error:
        raise ConfigError(f"--port: cannot listen at {port} ({error.strerror})") from None
    raise KeyboardInterrupt  # nothing else ends the demo portal


def _login(options: Arguments) -> int:
    from .commands import login  # noqa: PLC0415

    return login.login(_nested(options))


def _logout(options: Arguments) -> int:
    from .commands import login  # noqa: PLC0415

    return login.logout(_nested(options))


_TABLES = {"host": "http", "port": "http", "portal": "oauth"}


def _nested(options: Arguments) -> Arguments:
    """Put --host, --port and --portal where the settings have them."""
    nested: Arguments = {}
    for name, value in options.items():
        table = nested.setdefault(_TABLES[name], {}) if name in _TABLES else nested
        table[name] = value
    return nested


class _Parser(argparse.ArgumentParser):
    """Reports wrong arguments as wrong settings are reported: without secrets and escape codes."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the error; exit with status 2."""
        from .commands.console import report  # noqa: PLC0415
        from .settings.load import ConfigError  # noqa: PLC0415

        self.print_usage(sys.stderr)
        self.exit(report(ConfigError(message)))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bitrix24-chat-mcp",
        description="An MCP server for somebody's Bitrix24 chats. Without a command it serves.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_settings(parser)
    parser.set_defaults(run=_serve)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add_command(commands, "demo", _demo, "show the main job on the demo portal, then end")
    _add_settings(
        _add_command(commands, "check", _check, "say, step by step, whether the settings are right")
    )
    login = _add_command(
        commands, "login", _login, "sign in with Bitrix24, and keep the tokens on this machine"
    )
    _add_sign_in_options(login)
    login.add_argument("--no-browser", action="store_true", help="only print the address to open")
    login.add_argument("--by-hand", action="store_true", help="ask for the code that the portal's page shows")
    logout = _add_command(commands, "logout", _logout, "forget the tokens")
    _add_sign_in_options(logout)
    _add_portal_options(_add_command(commands, "portal", _portal, "run the demo portal alone, on loopback"))
    return parser


def _add_command(
    commands: "argparse._SubParsersAction[_Parser]",  # pyright: ignore[reportPrivateUsage]
    name: str,
    run: Callable[[Arguments], int],
    purpose: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=purpose, description=purpose, argument_default=argparse.SUPPRESS)
    command.set_defaults(run=run)
    return command


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="TOML file with the settings")
    parser.add_argument("--transport", choices=["stdio", "http"], help="stdio (default) or Streamable HTTP")
    parser.add_argument("--host", help="address for http; beyond loopback only with http.auth (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port for http (8000)")
    parser.add_argument("--demo", action="store_true", help="serve the built-in demo portal")
    parser.add_argument("--read-only", action="store_true", help="offer only the tools that change nothing")
    parser.add_argument("--toolsets", metavar="SETS", help="sets of further tools: read,marks,tidy (none)")
    parser.add_argument("--exclude-tools", metavar="TOOLS", help="tools not to offer: pin_chat (none)")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], help="stderr (warning)")


def _add_sign_in_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="TOML file with the settings")
    parser.add_argument("--portal", metavar="URL", help="the portal, https://acme.bitrix24.ru")


def _add_portal_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8024, help="port to listen at, 0 for a free one (8024)")
    parser.add_argument("--chats", type=int, help="chats of the first user, 0 to 5000")
    parser.add_argument("--seed", type=int, help="another seed, another company")
    parser.add_argument("--rate", type=float, help="requests a second that the limiter drains (2)")
    parser.add_argument("--burst", type=int, help="requests that the limiter takes at once (50)")
    parser.add_argument("--latency", type=float, help="seconds that every answer takes (0)")


if __name__ == "__main__":
    sys.exit(main())
