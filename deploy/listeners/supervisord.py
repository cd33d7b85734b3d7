"""supervisord, with its imports done ahead.

`python -m deploy.listeners.supervisord -c FILE` loads supervisor while the caller is still reading the configuration,
then waits on standard input: a byte, and it is supervisord; the end of the input, and it was not needed after all.
"""

import sys


def main() -> int:
    """Become supervisord when told so. Its arguments are this process's own."""
    import supervisor.supervisord as supervisord

    import deploy.listeners.tree  # noqa: F401 (what the configuration will ask for)

    if not sys.stdin.buffer.read(1):
        return 0
    supervisord.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
