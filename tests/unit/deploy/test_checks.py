"""What only the whole file and the manifest together can tell."""

from deploy import checks, yaml_source
from deploy.manifest import Manifest, ModuleEntry, VersionEntry
from deploy.schema import DeploymentConfig

TWO_OWNERS = Manifest(
    {
        name: ModuleEntry({"v1": VersionEntry(f"/v1/{name}", f"/v1/{name}/health", f"/v1/{name}/ws", routes)})
        for name, routes in {"core": (), "broker": ("orders",), "mirror": ("Orders", "bars")}.items()
    }
)


def _problems(strategy: str) -> list[str]:
    text = f"servers: {{one: {{port: 8001, modules: [broker, mirror]}}}}\nwebsocket: {{routing_strategy: {strategy}}}\n"
    source = yaml_source.read(text, {})
    checks.check(DeploymentConfig.model_validate(source.data), TWO_OWNERS, source)
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in source.problems]


def test_C04_N03_by_query_parameter_a_route_leads_to_one_module() -> None:
    assert _problems("query_param") == ["2:31 the modules 'broker' and 'mirror' both own the WebSocket route 'Orders'"]


def test_C04_N03_by_path_two_modules_may_use_one_name() -> None:
    assert _problems("path") == []
