"""Renders the components of a contract as pydantic models, by datamodel-code-generator."""

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trading_api.codegen.clients.formatting import formatted
from trading_api.codegen.clients.header import python_header
from trading_api.codegen.clients.imports import sorted_imports
from trading_api.codegen.clients.source import ClientSource, ClientSourceError, Json

if TYPE_CHECKING:
    from datamodel_code_generator import GenerateConfig

# Stands for the runtime's package, which may be relative, until the file is done.
_RUNTIME = "client_runtime_of_models"


def render_models(source: ClientSource, schemas: Mapping[str, Json], *, runtime: str) -> str:
    """The module `{module}_{version}_models.py`. `schemas` are open and have class names.

    Raises ClientSourceError for a component that cannot be a class or type.
    """
    docstring = f'"""The models of {source.module} {source.version}."""\n\n'
    code = sorted_imports(_generated(source, schemas), {_RUNTIME: runtime}) if schemas else ""
    text = formatted(python_header(source) + docstring + code)
    _check_names(source, schemas, text)
    return text


def _generated(source: ClientSource, schemas: Mapping[str, Json]) -> str:
    from datamodel_code_generator import Error, generate

    document = {
        "openapi": "3.1.0",
        "info": {"title": source.stem, "version": source.version},
        "paths": {},
        "components": {"schemas": dict(schemas)},
    }
    try:
        return str(generate(document, config=_config()))
    except Error as error:
        raise ClientSourceError(f"{source.stem}: models", str(error)) from error


def _config() -> "GenerateConfig":
    from datamodel_code_generator import GenerateConfig
    from datamodel_code_generator.enums import DataModelType, InputFileType, NamingStrategy, TargetPydanticVersion
    from datamodel_code_generator.format import DatetimeClassType, PythonVersion

    return GenerateConfig(
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        target_pydantic_version=TargetPydanticVersion.V2,
        base_class=f"{_RUNTIME}.ApiModel",
        import_overrides={"StrEnum": _RUNTIME, "IntEnum": _RUNTIME},
        use_annotated=True,
        field_constraints=True,
        strict_nullable=True,
        set_default_enum_member=True,
        disable_timestamp=True,
        custom_file_header="#",
        use_schema_description=True,
        # Where editors show them, and nothing has to be read at run time.
        use_field_description=True,
        use_single_line_docstring=True,
        use_double_quotes=True,
        use_type_alias=True,
        capitalise_enum_members=True,
        naming_strategy=NamingStrategy.ParentPrefixed,
        output_datetime_class=DatetimeClassType.Awaredatetime,
        # Formatted here, once, and faster.
        formatters=[],
    )


def _check_names(source: ClientSource, schemas: Mapping[str, Json], text: str) -> None:
    """Clients refer to models by the names given here; the generator must have kept them."""
    defined = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    missing = sorted(set(schemas) - defined)
    if missing:
        raise ClientSourceError(f"{source.stem}: models", f"no class was made for {', '.join(missing)}")
