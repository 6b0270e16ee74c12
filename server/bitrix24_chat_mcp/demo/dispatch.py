"""From a parsed request to a result, with the checks in Bitrix24's order.

Closed portal, unknown method (404, before anybody asks who is calling), credentials, scope, operating time,
and only then the method itself.
"""

from dataclasses import dataclass, field

from . import batch, envelope
from .batch import Inner
from .calls import Call, Caller, Page
from .credentials import check
from .faults import Plan
from .limits import OperatingTime
from .methods import METHODS
from .php import Obj, integer
from .refusals import RestError
from .state import World
from .switches import Switches
from .tokens import Tokens
from .wire import Invocation

_ABOUT_METHODS = ("batch", "method.get", "methods")


@dataclass(slots=True)
class Desk:
    """Answers calls; remembers how long each caller's methods ran."""

    switches: Switches
    tokens: Tokens
    faults: Plan
    operating: OperatingTime = field(default_factory=OperatingTime)

    def identify(self, invocation: Invocation, scheme: str, world: World, now: float) -> Caller:
        """Find the caller, once the portal is open and the method exists."""
        if self.switches.deleted:
            raise RestError("PORTAL_DELETED")
        if invocation.method not in {*METHODS, *_ABOUT_METHODS}:
            raise RestError("ERROR_METHOD_NOT_FOUND")
        if invocation.signed_link:
            raise RestError("ACCESS_DENIED", "Access denied! Link check failed")
        return check(invocation, scheme, self.switches, world, self.tokens, now)

    def answer(
        self, invocation: Invocation, caller: Caller, world: World, now: float, inner: list[Inner]
    ) -> Page:
        """Run the method; a batch notes its commands in `inner`."""
        if invocation.method != "batch":
            return self._run(
                invocation.method,
                Call(world, self.switches, caller, invocation.params, invocation.start, now),
            )

        def command(method: str, params: Obj) -> tuple[Page, Obj]:
            error = self.faults.strike(method, in_batch=True).error
            if error is not None:
                raise RestError(error)
            start = integer(params.pop("start", 0))
            page = self._run(method, Call(world, self.switches, caller, params, start, now))
            return page, envelope.time_block(self.switches, now, now, self.limiter(caller, method, now))

        return Page(batch.run(invocation.params, inner, command))

    def limiter(self, caller: Caller, method: str, now: float) -> tuple[int, float]:
        """`operating_reset_at` and `operating` of a caller's method."""
        operating = self.operating
        return operating.reset_at(caller.key, method, now), operating.spent(caller.key, method, now)

    def _run(self, method: str, call: Call) -> Page:
        if method in {"method.get", "methods"}:
            return Page(_about(method, call))
        if method not in METHODS:
            raise RestError("ERROR_METHOD_NOT_FOUND")
        found, caller = METHODS[method], call.caller
        _check_scope(found.scope, caller)
        if self.operating.spent(caller.key, method, call.now) > self.switches.operating_limit:
            raise RestError("OPERATION_TIME_LIMIT")
        answer = found.answer(call)
        cost = self.switches.costs.get(method, self.switches.costs.get("*", 0.0))
        self.operating.charge(caller.key, method, cost, call.now)
        return answer if isinstance(answer, Page) else Page(answer)


def _check_scope(scope: str, caller: Caller) -> None:
    if scope and scope not in caller.scopes:
        token = "webhook token" if caller.by_webhook else "access token"
        raise RestError(
            "insufficient_scope", f"The request requires higher privileges than provided by the {token}"
        )


def _about(method: str, call: Call) -> object:
    """`methods` lists what is not hidden; `method.get` reads its `name` in lower case only."""
    allowed = [
        name for name, found in METHODS.items() if not found.scope or found.scope in call.caller.scopes
    ]
    if method == "methods":
        return [*_ABOUT_METHODS, *(name for name in allowed if not METHODS[name].hidden)]
    name = str(call.params.get("name", "")).lower()
    known = name in {*METHODS, *_ABOUT_METHODS}
    return {"isExisting": known, "isAvailable": name in _ABOUT_METHODS or name in allowed}
