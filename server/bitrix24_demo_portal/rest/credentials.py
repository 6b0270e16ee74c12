"""Who calls: incoming webhooks and access tokens, and every reason to turn them away."""

from hashlib import sha256

from bitrix24_demo_portal.asgi.request import Invocation
from bitrix24_demo_portal.data.tokens import TokenStore
from bitrix24_demo_portal.data.world import Person, World
from bitrix24_demo_portal.options import Options

from .call import Caller
from .errors import RestError


def webhook_code(seed: int, user: int) -> str:
    """Derive the secret of a user's webhook: 16 lower-case characters, stable for a seed."""
    return sha256(f"{seed}:webhook:{user}".encode()).hexdigest()[:16]


def check(
    invocation: Invocation, scheme: str, options: Options, world: World, tokens: TokenStore, now: float
) -> Caller:
    """Find the caller, or refuse; a token is looked at even when a webhook stands in the address."""
    if options.overload:
        raise RestError("OVERLOAD_LIMIT")
    if invocation.token:
        caller = _by_token(invocation.token, options, tokens, now)
    elif invocation.code:
        caller = _by_webhook(invocation, scheme, options, world)
    else:
        raise RestError("NO_AUTH_FOUND")
    _admit(caller, options, world)
    return caller


def _by_token(token: str, options: Options, tokens: TokenStore, now: float) -> Caller:
    pair = tokens.find(token)
    if pair is None:
        raise RestError("invalid_token")
    if now >= pair.expires:
        raise RestError("expired_token")
    if options.uninstalled:
        raise RestError("ERROR_OAUTH")
    if pair.user in options.restricted:
        raise RestError("user_access_error")
    return Caller(pair.user, options.scopes, by_webhook=False, key=options.client_id)


def _by_webhook(invocation: Invocation, scheme: str, options: Options, world: World) -> Caller:
    if options.https_only and scheme != "https":
        raise RestError("INVALID_REQUEST")
    who = _owner(invocation.user, options, world)
    if who is None or invocation.code != webhook_code(options.seed, who.id) or options.webhook_expired:
        raise RestError("INVALID_CREDENTIALS")
    return Caller(who.id, options.scopes, by_webhook=True, key=invocation.code)


def _owner(user: str, options: Options, world: World) -> Person | None:
    """Find the user of an address, which may name a login too."""
    if user.isdigit():
        return world.people.get(int(user))
    return next((who for who in world.people.values() if user == f"user{who.id}@{options.domain}"), None)


def _admit(caller: Caller, options: Options, world: World) -> None:
    who = world.people.get(caller.user)
    if who is None or not who.active or caller.user in options.revoked:
        raise RestError("authorization_error")
    if options.unpaid:
        plan = "REST is available only by subscription."
        plan = plan if caller.by_webhook else "REST is available only on commercial plans."
        raise RestError("ACCESS_DENIED", plan, 403 if options.statuses == "docs" else 401)
