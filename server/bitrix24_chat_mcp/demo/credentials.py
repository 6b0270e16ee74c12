"""Who calls: incoming webhooks and access tokens, and every reason to turn them away."""

from hashlib import sha256

from .calls import Caller
from .refusals import RestError
from .state import Person, World
from .switches import Switches
from .tokens import Tokens
from .wire import Invocation


def webhook_code(seed: int, user: int) -> str:
    """Derive the secret of a user's webhook: 16 lower-case characters, stable for a seed."""
    return sha256(f"{seed}:webhook:{user}".encode()).hexdigest()[:16]


def check(
    invocation: Invocation, scheme: str, switches: Switches, world: World, tokens: Tokens, now: float
) -> Caller:
    """Find the caller, or refuse; a token is looked at even when a webhook stands in the address."""
    if switches.overload:
        raise RestError("OVERLOAD_LIMIT")
    if invocation.token:
        caller = _by_token(invocation.token, switches, tokens, now)
    elif invocation.code:
        caller = _by_webhook(invocation, scheme, switches, world)
    else:
        raise RestError("NO_AUTH_FOUND")
    _admit(caller, switches, world)
    return caller


def _by_token(token: str, switches: Switches, tokens: Tokens, now: float) -> Caller:
    pair = tokens.find(token)
    if pair is None:
        raise RestError("invalid_token")
    if now >= pair.expires:
        raise RestError("expired_token")
    if switches.uninstalled:
        raise RestError("ERROR_OAUTH")
    if pair.user in switches.restricted:
        raise RestError("user_access_error")
    return Caller(pair.user, switches.scopes, by_webhook=False, key=switches.client_id)


def _by_webhook(invocation: Invocation, scheme: str, switches: Switches, world: World) -> Caller:
    if switches.https_only and scheme != "https":
        raise RestError("INVALID_REQUEST")
    who = _owner(invocation.user, switches, world)
    if who is None or invocation.code != webhook_code(switches.seed, who.id) or switches.webhook_expired:
        raise RestError("INVALID_CREDENTIALS")
    return Caller(who.id, switches.scopes, by_webhook=True, key=invocation.code)


def _owner(user: str, switches: Switches, world: World) -> Person | None:
    """Find the user of an address, which may name a login too."""
    if user.isdigit():
        return world.people.get(int(user))
    return next((who for who in world.people.values() if user == f"user{who.id}@{switches.domain}"), None)


def _admit(caller: Caller, switches: Switches, world: World) -> None:
    who = world.people.get(caller.user)
    if who is None or not who.active or caller.user in switches.revoked:
        raise RestError("authorization_error")
    if switches.unpaid:
        plan = "REST is available only by subscription."
        plan = plan if caller.by_webhook else "REST is available only on commercial plans."
        raise RestError("ACCESS_DENIED", plan, 403 if switches.statuses == "docs" else 401)
