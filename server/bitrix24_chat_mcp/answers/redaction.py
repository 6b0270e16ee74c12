"""Masks the secrets in a text, and leaves the rest readable.

Secrets are recognised by their shape, also with other letters directly before or after them. The secrets that
this process holds itself are found in any case, width or encoding (`portal.api.known_secrets`).
"""

import re
from functools import cache, lru_cache
from typing import Final

import regex

from bitrix24_chat_mcp.portal.api.known_secrets import known

MARK: Final = "[secret]"

# A slash: plain, escaped as in JSON, percent-encoded (also twice), an HTML entity, a lookalike; one or more.
_SLASH = r"(?:\\?[/／∕⁄]|%(?:25)*2F|&(?:\#47|\#x2F|sol);?)+"
_CODE = r"(?:[A-Z0-9_-]|%(?!(?:25)*2F)[0-9A-F]{2})"
_VALUE = r"""[^\s&"'<>]"""
_KEY = (
    r"(?:token|secret|passw(?:or)?d|[Пп]ароль|ПАРОЛЬ|(?:api|access|private)[_-]?key|sess(?:ion)?_?id"
    r"|(?:auth|refresh)_id|app_sid|(?<![a-z])(?:pass|pwd))"
)
_KEY_BODY = r"(?:(?:(?!-----).)*+-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|(?: ?[A-Za-z0-9+/=]{16,})*)"
_EQUALS = r"""(?:["']?\ ?(?:=|%(?:25)*3D)\ ?["']?|["']\ ?:\ ?["'])"""

# The text before a secret, which is kept so that a reader sees what was masked; and the secret itself. Letter
# case is ignored.
_INTRODUCED: Final = (
    # Incoming webhooks: /rest/<user>/<code>/...; the first word of a method ("tasks.task.list") is no code.
    (rf"rest{_SLASH}\d{{1,12}}{_SLASH}", rf"(?![A-Z]+\.[A-Z]){_CODE}{{4,}}"),
    # The same under a login instead of a number, and REST 3.0; here only what looks like a code.
    (rf"rest{_SLASH}(?:api{_SLASH})?[\w.@-]{{1,64}}{_SLASH}", r"(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{10,}"),
    (r"://[^\s/:@]{1,64}:", r"[^\s/@]{1,256}(?=@)"),  # a password in front of a host
    (r"hooks\.slack\.com/services/", r"[\w/-]+"),
    (r"/api/webhooks/\d{1,24}/", r"[\w-]+"),  # Discord
    (_KEY + _EQUALS, rf"{_VALUE}+"),
    (rf"auth{_EQUALS}", rf"{_VALUE}+"),
    # "Password: ..." in prose: only a word with a digit in it, as passwords have.
    (rf"""{_KEY}\ ?:\ ?["']?""", rf"(?!https?:)(?={_VALUE}{{0,256}}\d){_VALUE}{{6,}}"),
    (r"""authorization["']?\ ?[:=]\ ?["']?(?:\w{1,16}\ )?""", r"(?=[!-~]{0,256}\d)[!-~]{6,}"),
    (r"(?:bearer|basic)\ ", r"(?=[!-~]{0,256}\d)[\w.~+/=-]{12,}"),
    ("", r"[0-9A-F]{32,}"),  # access tokens of Bitrix24 (70 digits), hashes, keys in hexadecimal
)
# Secrets recognised by their own shape; letter case matters.
_SHAPED: Final = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----" + _KEY_BODY,
    r"eyJ[\w-]{12,}(?:\.[\w-]*){0,4}",  # JSON web tokens
    r"gh[pousr]_[A-Za-z0-9]{16,}",
    r"github_pat_\w{16,}",
    r"gl[a-z]{2,5}-[\w-]{16,}",  # GitLab
    r"xox[a-z]-[\w-]{8,}",  # Slack
    r"xapp-\d-[\w-]{8,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}",  # Amazon
    r"AIza[\w-]{30,}",  # Google
    r"ya29\.[\w.-]{16,}",
    r"(?:AQVN|y[0-3]_)[\w-]{30,}",  # Yandex
    r"(?:[sr]k|pk)_(?:live|test)_\w{8,}",  # Stripe
    r"(?<![A-Za-z0-9])sk-(?=[\w-]{0,200}\d)[\w-]{16,}",  # OpenAI and its like; "risk-..." is a word
    r"\d{6,12}:[A-Za-z0-9_-]{30,}",  # Telegram bots
    r"SG\.[\w-]{16,}\.[\w-]{8,}",
    r"(?:npm_|pypi-|hf_)[\w-]{20,}",
)


@cache
def _secrets() -> list[regex.Pattern[str]]:
    """Compile the tables for the first text that needs them; most processes never do."""
    introduced = ((f"(?P<keep>{keep}){secret}", regex.IGNORECASE) for keep, secret in _INTRODUCED)
    shaped = ((f"(?P<keep>){secret}", regex.V0) for secret in _SHAPED)
    return [regex.compile(pattern, regex.ASCII | flag) for pattern, flag in (*introduced, *shaped)]


# Every secret comes with one of these hints; most messages hold none, and are not searched any further.
_HINT: Final = re.compile(
    r"""rest[\\/%&／∕⁄]|hooks\.slack\.com|/api/webhooks/|://[^\s/@]{1,321}@|-----|[a-z0-9_-]{12}"""
    r"""|(?:token|secret|pass(?:w(?:or)?d)?|pwd|пароль|(?:api|access|private)[_-]?key|auth|authorization"""
    r"""|(?:sess(?:ion)?_?|auth_|refresh_|app_s)id)["']? ?[=:%]"""
    r"|(?:bearer|basic) "
)


def may_hold_secrets(text: str) -> bool:
    """Return whether a text may hold a secret; quick, and true for many texts without one."""
    return _HINT.search(text.lower()) is not None or bool(known.within(text))


def mask_secrets(text: str) -> str:
    """Replace webhook codes, tokens, keys and passwords by `[secret]`."""
    text = known.mask(text, MARK)
    if not _HINT.search(text.lower()):
        return text
    return _mask_short(text) if len(text) <= _SHORT else _mask_shapes(text)


def _mask_shapes(text: str) -> str:
    for secret in _secrets():
        text = secret.sub(rf"\g<keep>{MARK}", text)
    return text


# The same titles and sentences come again and again, and a search takes a tenth of a millisecond.
_SHORT: Final = 500
_mask_short = lru_cache(maxsize=1000)(_mask_shapes)
