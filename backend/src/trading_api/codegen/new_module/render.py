"""Renders the files of a new module. Pure: nothing is written here."""

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from trading_api.codegen.new_module.request import NewModule

Files = dict[str, str]
"""Path in a folder → text."""


def render(module: NewModule, part: str) -> Files:
    """The files of one part (`module`, `models` or `tests`), formatted."""
    return dict(_render_all(module, part))


def _render_all(module: NewModule, part: str) -> Iterator[tuple[str, str]]:
    environment = _environment()
    for template in sorted(environment.list_templates(filter_func=lambda name: name.startswith(f"{part}/"))):
        path = _path(template.removeprefix(f"{part}/").removesuffix(".j2"), module)
        if module.ws or not path.startswith("ws/"):
            yield path, _format(environment.get_template(template).render(module=module))


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (python, not HTML; every value is a checked name)
    )


def _path(name: str, module: NewModule) -> str:
    """Where a template's text goes: `version` stands for the version, as a file or, for WebSockets, a package."""
    version = f"{module.version}/__init__.py" if name.startswith("ws/") else f"{module.version}.py"
    return name.replace("version.py", version).replace("test_module.py", f"test_{module.name}.py")


def _format(text: str) -> str:
    """As `make format` would: where lines break depends on how long the name is."""
    # Not installed everywhere, and only needed here.
    from black import format_str
    from black.mode import Mode, TargetVersion

    return format_str(text, mode=Mode(line_length=120, target_versions={TargetVersion.PY311}))
