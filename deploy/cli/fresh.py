"""A checked configuration whose generated files are current: what every command that starts something begins with."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.layouts import layout_for
from deploy.runtime.generated import Generator
from deploy.runtime.store_migration import StoreMigration

if TYPE_CHECKING:
    from deploy.cli.context import Checked
    from deploy.schema import DeploymentConfig

_CORE = "core"


@contextmanager
def generator_for(config: str) -> Iterator[Generator]:
    """The generator, already looking whether anything is stale; ended with the block."""
    with Generator(Path(sys.executable), layout_for(config).config, os.environ) as generator:
        generator.start()
        yield generator


@contextmanager
def migration_for(config: str) -> Iterator[StoreMigration]:
    """The migration of the store that `config` names; it begins to look once that is read, and ends with the block."""
    with StoreMigration(Path(sys.executable), layout_for(config).project, os.environ) as migration:
        yield migration


def check(config: str, generator: Generator, store: StoreMigration, chosen: tuple[str, ...] = ()) -> "Checked":
    """Read and check `config` against modules whose generated files are current; `store` looks meanwhile.

    With a server in watch mode they are brought up to date; else stale ones are refused. `chosen` narrows the modules.
    Raises ConfigError before anything is written, and GenerationFailed.
    """
    from deploy.cli import context

    parsed = _parse(config)
    store.look(parsed.store.url)
    said = generator.bring_up_to_date(chosen or _modules(parsed), write=_in_development(parsed))
    if said:
        print(said, file=sys.stderr)
    # With the manifest as it is now: it may know of a module that was just made.
    return context.check(config)


def _parse(config: str) -> "DeploymentConfig":
    """The configuration by itself, whatever modules there are. Raises ConfigError with everything wrong in it."""
    from deploy import loader
    from deploy.cli import context
    from deploy.errors import ConfigError
    from deploy.manifest import ManifestError

    try:
        return loader.load(Path(config), None, os.environ)
    except ConfigError as error:
        try:
            # Everything wrong in one run, unknown modules too.
            context.check(config)
        except ManifestError:
            raise error from None
        raise


def _in_development(config: "DeploymentConfig") -> bool:
    return any(server.reload for server in config.servers.values())


def _modules(config: "DeploymentConfig") -> set[str]:
    return {_CORE, *(name for server in config.servers.values() for name in server.modules)}
