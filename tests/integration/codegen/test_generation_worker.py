"""The process that renders clients beside the generator: the same answers, and no worse when it dies."""

import json
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
from support.contracts_small import model, openapi

from trading_api.codegen.rendering import CannotRender, LocalRenderer, WorkerRenderer
from trading_api.codegen.version_specs import VersionSpecs

pytestmark = pytest.mark.integration
GOOD = VersionSpecs("example", "v1", {"openapi": json.dumps(openapi(response=model("a", a={"type": "string"})))})
# Two methods of one name.
BAD_DOCUMENT = openapi()
BAD_DOCUMENT["paths"]["/other"] = BAD_DOCUMENT["paths"]["/orders"]
BAD = VersionSpecs("example", "v1", {"openapi": json.dumps(BAD_DOCUMENT)})


@pytest.fixture
def worker() -> Iterator[WorkerRenderer]:
    with WorkerRenderer() as made:
        yield made
    assert not [child for child in psutil.Process().children() if "render_worker" in " ".join(child.cmdline())]


def test_G02_a_worker_answers_what_this_process_would(worker: WorkerRenderer) -> None:
    local = LocalRenderer()
    assert worker.client(GOOD) == local.client(GOOD)
    assert worker.index([GOOD]) == local.index([GOOD])
    assert worker.package([GOOD]) == local.package([GOOD])


def test_G03_a_worker_has_imported_before_it_is_asked_what_rendering_takes() -> None:
    """Or the first client waits for it: two thirds of a second."""
    program = f"""
import io, sys
from trading_api.codegen.render_worker import main
main([], sys.stdout)
before = set(sys.modules)
main([{json.dumps({"what": "client", "versions": [GOOD.to_json()]})!r}], io.StringIO())
print(sorted(name for name in set(sys.modules) - before if not name.startswith("datamodel_code_generator.model._")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_G02_what_cannot_be_rendered_is_said_and_the_worker_goes_on(worker: WorkerRenderer) -> None:
    with pytest.raises(CannotRender) as local:
        LocalRenderer().client(BAD)
    with pytest.raises(CannotRender) as caught:
        worker.client(BAD)
    assert str(caught.value) == str(local.value)
    assert worker.client(GOOD)


def test_G02_without_its_worker_a_process_does_the_work_itself(worker: WorkerRenderer) -> None:
    (child,) = [one for one in psutil.Process().children() if "trading_api.codegen.render_worker" in one.cmdline()]
    child.kill()
    child.wait(60)
    assert worker.client(GOOD) == LocalRenderer().client(GOOD)
