"""Imports go one way: a module may import from lower floors only, and the stations of one floor are strangers."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "syndicate"
FLOORS = [
    {"errors"},
    {"model", "whole", "keyed"},
    {"database"},
    {"config", "content", "audience", "plan", "render", "adapters", "ledger", "deliver", "feedback", "lock"},
    {"signin"},
    {"accounts"},
    {"app", "log"},
    {"connect", "editions", "returns", "desks", "crew"},
    {"pipeline"},
    {"newsroom", "proofs"},
    {"rehearse"},
    {"scheduler"},
    {"web"},
    {"cli"},
]
FLOOR = {station: height for height, stations in enumerate(FLOORS) for station in stations}
DOORS = {("rehearse", "testing")}  # fakes are for tests; a rehearsal in front of users is the one exception
FREE = {"__init__", "__main__", "testing"}  # the package's door, and the doubles, which may look at everything


def stations_imported(path: Path) -> list[tuple[int, str]]:
    """(line, station) for each import of our own package, TYPE_CHECKING ones too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} a relative import"
            names = [node.module or ""]
            if node.module == "syndicate":
                names = [f"syndicate.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found += [(node.lineno, name.split(".")[1]) for name in names if name.startswith("syndicate.")]
    return found


def test_every_station_has_a_floor() -> None:
    stations = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert stations - FREE <= FLOOR.keys()


def test_imports_go_one_way() -> None:
    reaching_up = []
    for path in sorted(PACKAGE.rglob("*.py")):
        home = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if home in FREE:
            continue
        for line, station in stations_imported(path):
            if station in {home, "__version__"} or (home, station) in DOORS:
                continue
            if station not in FLOOR or FLOOR[station] >= FLOOR[home]:
                reaching_up.append(f"{path.relative_to(PACKAGE)}:{line} reaches up or sideways to {station}")
    assert reaching_up == []
