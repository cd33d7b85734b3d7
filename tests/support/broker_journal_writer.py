"""A process that commits orders until it is killed, and says each number that is durable.

python broker_journal_writer.py URL
"""

import sys

from support.broker_journal import AccountScript, answer, no_fence

from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store.engine import open_engine


def main(url: str) -> None:
    journal, script = Journal(open_engine(url)), AccountScript()
    for number in range(1, 1_000_000):
        order = script.place()
        if number % 2:
            script.fill(order)
        journal.commit(script.batch(answer(str(number))), no_fence)
        print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
