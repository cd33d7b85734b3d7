"""What the user reads when a module was written: the files, and what to do next."""

import re
from dataclasses import dataclass

from trading_api.codegen.new_module.request import NewModule
from trading_api.settings import Settings
from trading_api.shared.registry import rest_prefix

CONFIG = "dev-config.yaml"
_MODULES = re.compile(r"^\s*(modules: \[)(.*\S)(\s*\])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """A module that was written. Paths are relative to the root of the checkout; `config` is the deployment's YAML."""

    module: NewModule
    files: tuple[str, ...]
    tests: str
    config: str

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "module": self.module.name,
            "version": self.module.version,
            "files": list(self.files),
            "yaml": self.yaml_line(),
            "tests": self.tests,
            **self.urls(),
        }

    def text(self) -> str:
        """For people."""
        files = "".join(f"  {file}\n" for file in self.files)
        urls = "".join(f"     {url}\n" for url in self.urls().values() if url)
        return (
            f"wrote the module {self.module.name}:\n{files}"
            f"next:\n"
            f"  1. name it in {CONFIG}, under one server:  {self.yaml_line()}\n"
            f"  2. make supervise-up serves it at\n{urls}"
            f"  3. make it yours, then: make generate, make lint type-check, make test-fast args={self.tests}"
        )

    def yaml_line(self) -> str:
        """The line of the YAML that names the module: beside those of the first server that holds any."""
        found = _MODULES.search(self.config)
        return f"{found[1]}{found[2]}, {self.module.name}]" if found else f"modules: [{self.module.name}]"

    def urls(self) -> dict[str, str | None]:
        """Where it is served, below the gateway's address."""
        prefix = Settings().base_url + rest_prefix(self.module.name, self.module.version)
        return {
            "rest": f"{prefix}/notes/{{key}}",
            "ws": f"{prefix}/ws" if self.module.ws else None,
            "docs": f"{prefix}/docs",
        }
