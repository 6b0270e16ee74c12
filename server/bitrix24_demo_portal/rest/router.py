"""From a parsed request to a result, with the checks in Bitrix24's order.

Closed portal, unknown method (404, before anybody asks who is calling), credentials, scope, operating time,
and only then the method itself.
"""

from dataclasses import dataclass, field

from bitrix24_demo_portal.asgi.request import Invocation
from bitrix24_demo_portal.data.tokens import TokenStore
from bitrix24_demo_portal.data.world import World
from bitrix24_demo_portal.faults import FaultPlan
from bitrix24_demo_portal.options import Options
from bitrix24_demo_portal.php import Obj, integer

from . import batch, envelope
from .batch import Inner
from .call import Caller, MethodCall, MethodResult
from .credentials import check
from .errors import RestError
from .methods import METHODS
from .rate_limit import OperatingTime

_ABOUT_METHODS = ("batch", "method.get", "methods")


@dataclass(slots=True)
class Router:
    """Answers calls; remembers how long each caller's methods ran."""

    options: Options
    tokens: TokenStore
    faults: FaultPlan
    operating: OperatingTime = field(default_factory=OperatingTime)

    def identify(self, invocation: Invocation, scheme: str, world: World, now: float) -> Caller:
        """Find the caller, once the portal is open and the method exists."""
        if self.options.deleted:
            raise RestError("PORTAL_DELETED")
        if invocation.method not in {*METHODS, *_ABOUT_METHODS}:
            raise RestError("ERROR_METHOD_NOT_FOUND")
        if invocation.signed_link:
            raise RestError("ACCESS_DENIED", "Access denied! Link check failed")
        return check(invocation, scheme, self.options, world, self.tokens, now)

    def answer(
        self, invocation: Invocation, caller: Caller, world: World, now: float, inner: list[Inner]
    ) -> MethodResult:
        """Run the method; a batch notes its commands in `inner`."""
        if invocation.method != "batch":
            return self._run(
                invocation.method,
                MethodCall(world, self.options, caller, invocation.params, invocation.start, now),
            )

        def command(method: str, params: Obj) -> tuple[MethodResult, Obj]:
            error = self.faults.strike(method, in_batch=True).error
            if error is not None:
                raise RestError(error)
            start = integer(params.pop("start", 0))
            page = self._run(method, MethodCall(world, self.options, caller, params, start, now))
            return page, envelope.time_block(self.options, now, now, self.limiter(caller, method, now))

        return MethodResult(batch.run(invocation.params, inner, command))

    def limiter(self, caller: Caller, method: str, now: float) -> tuple[int, float]:
        """`operating_reset_at` and `operating` of a caller's method."""
        operating = self.operating
        return operating.reset_at(caller.key, method, now), operating.spent(caller.key, method, now)

    def _run(self, method: str, call: MethodCall) -> MethodResult:
        if method in {"method.get", "methods"}:
            return MethodResult(_about(method, call))
        if method not in METHODS:
            raise RestError("ERROR_METHOD_NOT_FOUND")
        found, caller = METHODS[method], call.caller
        _check_scope(found.scope, caller)
        if self.operating.spent(caller.key, method, call.now) > self.options.operating_limit:
            raise RestError("OPERATION_TIME_LIMIT")
        answer = found.answer(call)
        cost = self.options.costs.get(method, self.options.costs.get("*", 0.0))
        self.operating.charge(caller.key, method, cost, call.now)
        return answer if isinstance(answer, MethodResult) else MethodResult(answer)


def _check_scope(scope: str, caller: Caller) -> None:
    if scope and scope not in caller.scopes:
        token = "webhook token" if caller.by_webhook else "access token"
        raise RestError(
            "insufficient_scope", f"The request requires higher privileges than provided by the {token}"
        )


def _about(method: str, call: MethodCall) -> object:
    """`methods` lists what is not hidden; `method.get` reads its `name` in lower case only."""
    allowed = [
        name for name, found in METHODS.items() if not found.scope or found.scope in call.caller.scopes
    ]
    if method == "methods":
        return [*_ABOUT_METHODS, *(name for name in allowed if not METHODS[name].hidden)]
    name = str(call.params.get("name", "")).lower()
    known = name in {*METHODS, *_ABOUT_METHODS}
    return {"isExisting": known, "isAvailable": name in _ABOUT_METHODS or name in allowed}
