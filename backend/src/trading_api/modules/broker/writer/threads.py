"""The threads in which the writer waits for the store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class WriterThreads:
    """One for transactions, in turn; one for answers to be looked up, which need not wait for those."""

    def __init__(self) -> None:
        self.commit = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker-commit")
        self.answers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker-answers")

    def close(self) -> None:
        """Take no more work; what is under way ends by itself."""
        self.commit.shutdown(wait=False)
        self.answers.shutdown(wait=False)
