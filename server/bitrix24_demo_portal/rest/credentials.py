"""Authentication by incoming webhook or access token, and every reason to refuse it."""

from hashlib import sha256

from bitrix24_demo_portal.data.tokens import TokenStore
from bitrix24_demo_portal.data.world import Person, World
from bitrix24_demo_portal.options import Options

from .call import Caller
from .errors import RestError
from .request import RestRequest


def webhook_code(seed: int, user: int) -> str:
    """Derive the secret of a user's webhook: 16 lower-case characters, stable for a seed."""
    return sha256(f"{seed}:webhook:{user}".encode()).hexdigest()[:16]


def authenticate(
    request: RestRequest, scheme: str, options: Options, world: World, tokens: TokenStore, now: float
) -> Caller:
    """Find the caller, or raise RestError; a token is checked even when the address holds a webhook."""
    if options.overload:
        raise RestError("OVERLOAD_LIMIT")
    if request.token:
        caller = _by_token(request.token, options, tokens, now)
    elif request.code:
        caller = _by_webhook(request, scheme, options, world)
    else:
        raise RestError("NO_AUTH_FOUND")
    _check_account(caller, options, world)
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


def _by_webhook(request: RestRequest, scheme: str, options: Options, world: World) -> Caller:
    if options.https_only and scheme != "https":
        raise RestError("INVALID_REQUEST")
    person = _owner(request.user, options, world)
    if person is None or request.code != webhook_code(options.seed, person.id) or options.webhook_expired:
        raise RestError("INVALID_CREDENTIALS")
    return Caller(person.id, options.scopes, by_webhook=True, key=request.code)


def _owner(user: str, options: Options, world: World) -> Person | None:
    """Find the user whom an address names by id or by login."""
    if user.isdigit():
        return world.people.get(int(user))
    logins = {f"user{number}@{options.domain}": person for number, person in world.people.items()}
    return logins.get(user)


def _check_account(caller: Caller, options: Options, world: World) -> None:
    person = world.people.get(caller.user)
    if person is None or not person.active or caller.user in options.revoked:
        raise RestError("authorization_error")
    if options.unpaid:
        plan = "REST is available only by subscription."
        plan = plan if caller.by_webhook else "REST is available only on commercial plans."
        raise RestError("ACCESS_DENIED", plan, 403 if options.statuses == "docs" else 401)
