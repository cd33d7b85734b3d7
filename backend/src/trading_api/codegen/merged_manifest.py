"""The manifest of a run that does not see every module: those it does not see keep what was written of them."""

import json
from collections.abc import Iterable

from trading_api.codegen.differ.document import Node, node
from trading_api.codegen.documents import Documents, committed_documents, parsed
from trading_api.codegen.manifest import render_manifest
from trading_api.codegen.site import Site
from trading_api.settings import CORE_MODULE
from trading_api.shared.errors import ModuleError


def merged_manifest(site: Site, seen: Iterable[str], documents: Documents) -> str | None:
    """The text of the manifest; `seen` are the modules that were loaded without an error, `documents` their contracts.

    None if none can be made.

    A module whose folder is gone is left out. Core is loaded in any case, for it is part of every manifest.
    """
    folders = {name: site.modules[name] for name in {*seen, CORE_MODULE} if name in site.modules}
    try:
        fresh = json.loads(render_manifest(folders, {**committed_documents(site), **documents}))
    except ModuleError:
        # Core's own failure, which the run tells where it loads core.
        return None
    former = node(_former(site).get("modules"))
    kept = {name: former[name] for name in site.modules if name in former and name not in fresh["modules"]}
    return json.dumps({**fresh, "modules": {**kept, **fresh["modules"]}}, indent=2, sort_keys=True) + "\n"


def _former(site: Site) -> Node:
    return parsed(site.manifest) or {}
