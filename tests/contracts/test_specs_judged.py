"""The specs, judged by the tools that their readers use (G02, A05)."""

from pathlib import Path

import pytest
from support.judges import HERE, TOOLS, run

pytestmark = pytest.mark.contracts


def test_A05_redocly_finds_nothing_in_the_openapi_documents(openapi_files: list[Path]) -> None:
    said = run([TOOLS / "redocly", "lint", "--config", HERE / "redocly.yaml", *openapi_files])
    # recommended-strict makes every warning an error.
    assert said.count(": validated in") == len(openapi_files)


def test_A05_the_asyncapi_parser_finds_nothing_in_the_asyncapi_documents(asyncapi_files: list[Path]) -> None:
    said = run(["node", HERE / "asyncapi_judge.mjs", *asyncapi_files])
    assert said.count("operations") == len(asyncapi_files)


def test_G02_openapi_typescript_reads_the_documents_and_tsc_its_output(
    openapi_files: list[Path], tmp_path: Path
) -> None:
    written = []
    for file in openapi_files:
        written.append(tmp_path / f"{file.stem}.ts")
        run([TOOLS / "openapi-typescript", file, "--output", written[-1]])
    run([TOOLS / "tsc", "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", *written])
