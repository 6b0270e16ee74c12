"""Calls the method that a request names, after the checks in Bitrix24's order.

Closed portal, unknown method (404, before the credentials are looked at), credentials, scope, operating time,
and only then the method itself.
"""

from dataclasses import dataclass, field

from bitrix24_demo_portal.data.tokens import TokenStore
from bitrix24_demo_portal.data.world import World
from bitrix24_demo_portal.faults import FaultPlan
from bitrix24_demo_portal.options import Options
from bitrix24_demo_portal.php import Obj, integer
from bitrix24_demo_portal.request_log import LoggedCommand

from . import batch, envelope
from .call import Caller, MethodCall, MethodResult
from .credentials import authenticate
from .errors import RestError
from .methods import METHODS
from .rate_limit import OperatingTime
from .request import RestRequest


@dataclass(slots=True)
class Router:
    """Calls the methods, and adds up how long each caller's methods ran."""

    options: Options
    tokens: TokenStore
    faults: FaultPlan
    operating: OperatingTime = field(default_factory=OperatingTime)

    def authenticate(self, request: RestRequest, scheme: str, world: World, now: float) -> Caller:
        """Find the caller, once the portal is open and the method exists."""
        if self.options.deleted:
            raise RestError("PORTAL_DELETED")
        if request.method not in METHODS and request.method != "batch":
            raise RestError("ERROR_METHOD_NOT_FOUND")
        if request.signed_link:
            raise RestError("ACCESS_DENIED", "Access denied! Link check failed")
        return authenticate(request, scheme, self.options, world, self.tokens, now)

    def answer(
        self, request: RestRequest, caller: Caller, world: World, now: float, log: list[LoggedCommand]
    ) -> MethodResult:
        """Run the method; the commands of a batch are appended to `log`."""
        if request.method != "batch":
            call = MethodCall(world, self.options, caller, request.params, request.start, now)
            return self._run(request.method, call)

        def command(method: str, params: Obj) -> tuple[MethodResult, Obj]:
            error = self.faults.next_fault(method, in_batch=True).error
            if error is not None:
                raise RestError(error)
            start = integer(params.pop("start", 0))
            result = self._run(method, MethodCall(world, self.options, caller, params, start, now))
            return result, envelope.time_block(self.options, now, now, self.limiter(caller, method, now))

        return MethodResult(batch.run(request.params, log, command))

    def limiter(self, caller: Caller, method: str, now: float) -> tuple[int, float]:
        """Return `operating_reset_at` and `operating` of a caller's method."""
        operating = self.operating
        return operating.reset_at(caller.key, method, now), operating.spent(caller.key, method, now)

    def _run(self, method: str, call: MethodCall) -> MethodResult:
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
