"""What a topology file means when it is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.spec.file import load, name_from
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Polling, Restart, Topology

EXECUTORS = "class Search:\n    pass\n\n\nclass Merge:\n    pass\n"


def read(folder: Path, text: str, env: Mapping[str, str] | None = None) -> Topology:
    path = folder / "topology.yml"
    path.write_text(text)
    (folder / "search.py").write_text(EXECUTORS)
    return load(path, env or {})


def one(folder: Path, keys: str, env: Mapping[str, str] | None = None) -> DeploymentSpec:
    """The deployment of a file with these keys beside its name."""
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    return read(folder, f"deployments:\n  - name: index\n{lines}", env).deployments[0]


def test_every_key(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    topology = read(
        tmp_path,
        """\
name: search
gateway: {host: 127.0.0.2, port: 8080, protocol: grpc}
keep: false
deployments:
  - name: clean
  - name: index
    uses: search.py:Search
    uses_with: {limit: 10, names: [a, b], deep: {ratio: 0.5, none: null}}
    uses_before: search.Search
    uses_after: ./search.py:Merge
    shards: 2
    replicas: 3
    polling: {"/search": ALL, index: any}
    needs: [clean]
    host: localhost
    port: 9000
    env: {OMP_NUM_THREADS: 4, MODE: fast}
    workspace: data
    timeout_ready: 90s
    timeout_send: 1.5
    grace: 1m
    restart: always
    idempotent: false
    keep: false
    py_modules: lib
""",
    )
    assert topology == Topology(
        name="search",
        gateway=GatewaySpec("127.0.0.2", 8080, "grpc"),
        source=str(tmp_path / "topology.yml"),
        folder=str(tmp_path),
        deployments=(
            DeploymentSpec("clean"),
            DeploymentSpec(
                name="index",
                uses=f"{tmp_path}/search.py:Search",
                uses_with={"limit": 10, "names": ["a", "b"], "deep": {"ratio": 0.5, "none": None}},
                uses_before="search.Search",
                uses_after=f"{tmp_path}/search.py:Merge",
                shards=2,
                replicas=3,
                polling={"*": Polling.ANY, "/search": Polling.ALL, "/index": Polling.ANY},
                needs=("clean",),
                host="localhost",
                port=9000,
                env={"OMP_NUM_THREADS": "4", "MODE": "fast"},
                workspace=f"{tmp_path}/data",
                timeout_ready=90.0,
                timeout_send=1.5,
                grace=60.0,
                restart=Restart.ALWAYS,
                idempotent=False,
                py_modules=(f"{tmp_path}/lib",),
            ),
        ),
    )


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    topology = read(tmp_path, "deployments:\n- name: index\n")
    assert topology.deployments == (DeploymentSpec("index"),)
    assert topology.gateway == GatewaySpec()


def test_no_gateway(tmp_path: Path) -> None:
    assert read(tmp_path, "gateway: none\ndeployments: [{name: index}]").gateway is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/srv/search/topology.yml", "search"),
        ("/srv/search/topology.yaml", "search"),
        ("/srv/search/lab.yml", "lab"),
        ("/srv/my search (2)/topology.yml", "my-search-2-"),
        ("/srv/_.-/topology.yml", "topology"),
        ("/topology.yml", "topology"),
        ("/srv/日本/topology.yml", "topology"),
    ],
)
def test_a_file_without_a_name_gets_one(path: str, name: str) -> None:
    assert name_from(Path(path)) == name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("True", True),
        ("~", None),
        ("", None),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("2001-12-14", "2001-12-14"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ('"a\\nb"', "a\nb"),
        ("=", "="),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path: Path, written: str, meant: object) -> None:
    value = one(tmp_path, f"uses_with:\n  x: {written}").uses_with["x"]
    assert (value, type(value)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("keys", "restart"),
    [("restart: no", Restart.NO), ('restart: "no"', Restart.NO), ("restart: on-failure", Restart.ON_FAILURE)],
)
def test_restart_is_text(tmp_path: Path, keys: str, restart: Restart) -> None:
    assert one(tmp_path, keys).restart is restart


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("1h", 3600.0), ("500ms", 0.5), ("1.5", 1.5), ("-1", None)],
)
def test_timeout_ready(tmp_path: Path, written: str, seconds: float | None) -> None:
    assert one(tmp_path, f"timeout_ready: {written}").timeout_ready == seconds


@pytest.mark.parametrize(
    ("written", "polling"),
    [
        ("all", {"*": Polling.ALL}),
        ("Any", {"*": Polling.ANY}),
        ("{'*': ALL, /a: ANY}", {"*": Polling.ALL, "/a": Polling.ANY}),
        ("{/: all}", {"*": Polling.ANY, "/": Polling.ALL}),
    ],
)
def test_polling(tmp_path: Path, written: str, polling: dict[str, Polling]) -> None:
    assert one(tmp_path, f"polling: {written}").polling == polling


def test_env_reaches_the_pod_in_the_letters_it_was_written_in(tmp_path: Path) -> None:
    env = one(tmp_path, 'env: {A: 010, B: true, C: 1.50, D: "", E: "~"}').env
    assert env == {"A": "010", "B": "true", "C": "1.50", "D": "", "E": "~"}


def test_needing_the_gateway_alone_is_needing_nothing(tmp_path: Path) -> None:
    assert one(tmp_path, "needs: gateway").needs == ()


def test_none_is_the_default_executor(tmp_path: Path) -> None:
    spec = one(tmp_path, "uses: none\nuses_after: null\nport:\nneeds: null")
    assert (spec.uses, spec.uses_after, spec.port, spec.needs) == (None, None, None, ())


def test_aliases_stand_for_what_they_name(tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        "deployments:\n- name: a\n  env: &common {MODE: fast}\n- name: b\n  env: *common\n",
    )
    assert [spec.env for spec in topology.deployments] == [{"MODE": "fast"}] * 2


# Variables


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("${MODE}", "fast"),
        ("a-${MODE}-${MODE}", "a-fast-fast"),
        ("${NONE:-slow}", "slow"),
        ("${EMPTY:-slow}", "slow"),
        ("${EMPTY}", ""),
        ("${MODE:-slow}", "fast"),
        ("${NONE:-}", ""),
        ("$MODE", "$MODE"),
        ("$${MODE}", "${MODE}"),
    ],
)
def test_variables_are_filled_in(tmp_path: Path, written: str, filled: str) -> None:
    spec = one(tmp_path, f'env: {{X: "{written}"}}', {"MODE": "fast", "EMPTY": ""})
    assert spec.env == {"X": filled}


def test_a_filled_scalar_means_what_it_says(tmp_path: Path) -> None:
    assert one(tmp_path, "shards: ${N}", {"N": "3"}).shards == 3


def test_the_callers_environment_wins_over_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\nexport A=one\nB='two words' # note\nC=\"x # y\"\nD=plain # note\n\nE=from file\nF=#\n"
    )
    text = "env: {A: '${A}', B: '${B}', C: '${C}', D: '${D}', E: '${E}', F: '${F}'}"
    assert one(tmp_path, text, {"E": "from caller"}).env == {
        "A": "one",
        "B": "two words",
        "C": "x # y",
        "D": "plain",
        "E": "from caller",
        "F": "",
    }


def test_a_variable_in_what_is_not_read_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    path.write_text("deployments:\n- name: a\n  hub: ${NOPE}\n")
    with pytest.raises(SpecError) as caught:
        load(path, {})
    assert [mistake.message for mistake in caught.value.mistakes] == ["`hub` is not built yet"]


def test_home_is_the_callers(tmp_path: Path) -> None:
    assert one(tmp_path, "workspace: ~/data", {"HOME": "/ada"}).workspace == "/ada/data"
