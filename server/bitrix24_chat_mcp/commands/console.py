"""How every command reads its settings, where it logs, what it prints, and with which status it ends.

Results go to stdout. Errors and logs go to stderr; an error is one line behind the program's name.
"""

import os
import signal
import sys
from typing import Any, Final, NoReturn

from bitrix24_chat_mcp import logs
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.answers.text import describe
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.settings.load import ConfigError, Settings, load

LINE_LENGTH: Final = 500
FAILURE, WRONG_SETTINGS, INTERRUPTED = 1, 2, 130


class CommandError(Exception):
    """A command could not do its work; the text is a sentence with the next step."""


def load_settings(options: dict[str, Any]) -> Settings:
    """Load the settings, and log as they say from then on. Raises ConfigError."""
    logs.configure()  # for what loading itself logs
    settings = load(**options)
    logs.configure(settings.log_level, settings.log_format)
    return settings


def end_at_interrupts() -> None:
    """Let an interrupt end the process at once.

    The thread that waits for stdin cannot be cancelled: an orderly end would wait for the host's next
    message.
    """

    def end(_number: int, _frame: object) -> NoReturn:
        os._exit(INTERRUPTED)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # or the parent wants it ignored
        signal.signal(signal.SIGINT, end)


def one_line(text: str) -> str:
    """Return text from outside as one bounded line without escape codes and secrets."""
    return sanitize(text, LINE_LENGTH)


def report(error: BaseException) -> int:
    """Print on stderr why a command ended; return its exit status.

    The status is 2 for wrong settings, 130 for an interrupt, and 1 for any other failure.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):  # `check | head -1`: nobody reads on, and nothing is to be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        return FAILURE
    print("bitrix24-chat-mcp:", one_line(_sentence(error)), file=sys.stderr)
    return WRONG_SETTINGS if isinstance(error, ConfigError) else FAILURE


def _sentence(error: BaseException) -> str:
    if isinstance(error, PortalError):
        return describe(error)
    if isinstance(error, ConfigError | CommandError):
        return str(error)
    place = logs.raised_at(type(error), error.__traceback__)  # the text of the error may quote a message
    return f"failed unexpectedly ({place}); please report this"
