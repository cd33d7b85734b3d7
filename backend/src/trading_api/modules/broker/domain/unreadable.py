"""A request that makes no sense before anybody decides on it."""

from trading_api.modules.broker.domain.problem import Problem


class Unreadable(ValueError):
    """Its text is that of the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem
