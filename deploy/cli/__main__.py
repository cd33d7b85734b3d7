"""`python -m deploy.cli`."""

from deploy.cli.main import entry

entry()
