"""GENERATED from `ws/v1/__init__.py` by `make generate`; do not edit."""

from trading_api.models.broker import Execution, ExecutionSubscription
from trading_api.shared.ws import Durable, WsRoute


class ExecutionsWsRouter(WsRoute[ExecutionSubscription, Execution]):
    """Every fill of the account."""

    route = "executions"
    request_type = ExecutionSubscription
    data_type = Execution
    delivery = Durable
