"""One process under one pid: whether its silence counts yet, and how often in a row it was silent."""

from deploy.listeners.health_question import Question, Verdict
from deploy.listeners.health_rules import HealthRules, Target


class Life:
    """Ends with the pid. All times are monotonic seconds.

    Silence counts from the first answer on. A process that never answered is judged all the same once the start
    deadline has passed, unless its endpoint was changed under it: where it listens since then is not known.
    """

    def __init__(self, pid: int, began: float) -> None:
        self.pid = pid
        self.question: Question | None = None
        self.next_question = began
        self.silences = 0
        self.first_silence = began
        self.kill_at: float | None = None
        self._began = began
        self._endpoint: tuple[str, int] | None = None
        self._answered = self._moved = False

    def aim(self, target: Target) -> bool:
        """It is to be asked there from now on. Whether that is another place than before."""
        endpoint, former = (target.host, target.port), self._endpoint
        self._endpoint = endpoint
        if former in (None, endpoint):
            return False
        self._answered, self._moved = False, True
        self.start_anew()
        return True

    def confirm(self) -> None:
        """Somebody else has had an answer of it."""
        self._answered = True

    def judge(self, verdict: Verdict, asked: float, rules: HealthRules) -> None:
        """Count what became of the question that was put at `asked`."""
        self._answered = self._answered or verdict is Verdict.ANSWERED
        if verdict is Verdict.SILENT:
            self._count(asked, rules)
        else:
            self.start_anew()

    def _count(self, asked: float, rules: HealthRules) -> None:
        if self._answered or (not self._moved and asked >= self._began + rules.start_deadline):
            self.first_silence = self.first_silence if self.silences else asked
            self.silences += 1

    def start_anew(self) -> None:
        """What was counted so far does not count."""
        self.silences = 0

    def is_hung(self, rules: HealthRules) -> bool:
        return 0 < rules.failures <= self.silences
