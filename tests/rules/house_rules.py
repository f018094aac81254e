"""The rules between rooms (docs/tour.md tells why), each a function from a module to its violations.

A rule looks at one `Module` at a time, or at all of them when it is about the graph. `test_house_rules.py` runs them
over the source tree and over a passing and a failing example each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PLANES = ("community", "content", "paygate", "operator")
ENTRANCES = {
    "flux.cli",
    "flux.serving",
    "flux.supervisor",
    "flux.references",
    "flux.workers",
}
"""Who may import the composition root: the ways into the program, which nothing else imports."""

FURNITURE = {"endpoints", "service", "rules", "repository"}
FILE_LINES = 400
FUNCTION_LINES = 40
SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|SELECT\s+\S+\(|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)\s|WITH\s+\w+\s+AS\s*\()",
    re.S,
)
NETWORK = {"socket", "ssl"}
FORBIDDEN_MODULES = {
    "time",
    "random",
    "secrets",
    *NETWORK,
    "http.client",
    "urllib.request",
    "requests",
    "httpx",
    "smtplib",
}
FORBIDDEN_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "os.urandom",
    "uuid.uuid4",
    "uuid4",
}
FORBIDDEN_NAMES = {call.rpartition(".")[2] for call in FORBIDDEN_CALLS}


@dataclass(frozen=True)
class Module:
    """One source file. `name` is its dotted name; a package's is the package's."""

    name: str
    source: str
    tree: ast.Module = field(repr=False)
    is_package: bool = False

    @classmethod
    def parse(cls, name: str, source: str, *, is_package: bool = False) -> Module:
        return cls(name, source, ast.parse(source), is_package)

    @property
    def plane(self) -> str | None:
        part = ([*self.name.split("."), ""])[1]
        return part if part in PLANES else None

    @property
    def room(self) -> str | None:
        """`community.messages`; None for what stands at the top of a plane or outside the planes."""
        return room_of(self.name)

    @property
    def piece(self) -> str:
        return self.name.rpartition(".")[2]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree: walked once, as each rule looks at all of them."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[tuple[str, int]]:
        """Every imported module, by its dotted name, with the line. `from a import b` gives both a and a.b."""
        return list(self._imports())

    def _imports(self) -> Iterator[tuple[str, int]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parent = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
                    parent = parent[: len(parent) - node.level + 1]
                    base = ".".join([*parent, *([node.module] if node.module else [])])
                yield base, node.lineno
                yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


Rule = Callable[[Module], Iterator[str]]


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return f"{parts[1]}.{parts[2]}" if len(parts) > 3 and parts[0] == "flux" and parts[1] in PLANES else None


def load(root: Path) -> list[Module]:
    """Every module under `src/flux`."""
    modules = []
    for path in sorted((root / "src" / "flux").rglob("*.py")):
        parts = path.relative_to(root / "src").with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        modules.append(Module.parse(name, path.read_text("utf-8"), is_package=package))
    return modules


def kernel_knows_no_plane(module: Module) -> Iterator[str]:
    if module.name.startswith(("flux.kernel", "flux.settings", "flux.client")):
        for name, line in module.imports:
            if name.split(".")[0] == "flux" and ([*name.split("."), ""])[1] in PLANES:
                yield f"{module.name}:{line} imports the plane module {name}"


def planes_are_strangers(module: Module) -> Iterator[str]:
    if module.plane is not None:
        for name, line in module.imports:
            parts = name.split(".")
            if parts[0] == "flux" and len(parts) > 1 and parts[1] in PLANES and parts[1] != module.plane:
                yield f"{module.name}:{line} imports another plane: {name}"


def only_entrances_import_the_root(module: Module) -> Iterator[str]:
    if module.name not in ENTRANCES:
        for name, line in module.imports:
            if name == "flux.app" or name in ENTRANCES:
                yield f"{module.name}:{line} imports {name}, which stands above it"


def rooms_meet_through_services(module: Module) -> Iterator[str]:
    """Another room's repository and endpoints are private to it."""
    if module.plane is None:
        return
    for name, line in module.imports:
        other = room_of(name + ".x")
        if other is None or other == module.room or not name.startswith(f"flux.{module.plane}."):
            continue
        private = {"repository"} if module.room is None else {"repository", "endpoints"}
        if private & set(name.split(".")[3:]):
            yield f"{module.name}:{line} reaches into another room: {name}"


def furniture_faces_one_way(module: Module) -> Iterator[str]:
    """endpoints → service → {rules, repository}."""
    below = {
        "endpoints": {"repository"},
        "service": {"endpoints"},
        "rules": {"endpoints", "service", "repository"},
        "repository": {"endpoints", "service"},
    }.get(module.piece)
    if module.room is None or below is None:
        return
    for name, line in module.imports:
        if room_of(name + ".x") == module.room and below & set(name.split(".")[3:]):
            yield f"{module.name}:{line} imports {name}: against the direction of the room"


def sql_lives_in_repositories(module: Module) -> Iterator[str]:
    if module.name.startswith("flux.kernel.store") or "repository" in module.name:
        return
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"{module.name}:{node.lineno} holds SQL"


def statuses_are_declared(module: Module) -> Iterator[str]:
    """A failure's status number stands in a declaration, nowhere else in a plane."""
    if module.plane is None or ".faults" in module.name:
        return
    for node in module.nodes:
        if (
            isinstance(node, ast.keyword)
            and node.arg in ("status", "status_code")
            and _is_failure(node.value)
        ):
            yield f"{module.name}:{node.value.lineno} answers with a status of its own"


def _is_failure(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and 400 <= node.value <= 599


def planes_ask_the_kernel(module: Module) -> Iterator[str]:
    """Clock, randomness and network only through kernel ports. A plane's own adapter lives in its room `outside`, which
    alone may know what a socket is."""
    if module.plane is None:
        return
    for name, line in module.imports:
        if name in FORBIDDEN_MODULES and not (name in NETWORK and module.room == f"{module.plane}.outside"):
            yield f"{module.name}:{line} imports {name}"
    for node in module.nodes:
        if isinstance(node, ast.Call) and (name := _called(node.func)) in FORBIDDEN_CALLS:
            yield f"{module.name}:{node.lineno} calls {name}"


def _called(function: ast.expr) -> str:
    """The dotted name; empty where its last part already tells that nobody asks (spelling it out takes long)."""
    last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return ast.unparse(function) if last in FORBIDDEN_NAMES else ""


def only_faults_are_raised(module: Module) -> Iterator[str]:
    """An endpoint or service raises declared faults; a bare Exception tells a client nothing."""
    if module.piece not in ("endpoints", "service", "rules"):
        return
    for node in module.nodes:
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            if name in ("Exception", "BaseException", "RuntimeError", "OSError"):
                yield f"{module.name}:{node.lineno} raises {name}"


def no_drawers(module: Module) -> Iterator[str]:
    for part in module.name.split("."):
        if part in ("utils", "util", "common", "helpers", "helper", "misc", "lib"):
            yield f"{module.name} is a drawer: name it after what lives there"


def files_are_one_thing(module: Module) -> Iterator[str]:
    lines = module.source.count("\n")
    if lines > FILE_LINES and not module.name.startswith("flux.client.errors"):
        yield f"{module.name} has {lines} lines: it is asking to be two things"


def functions_are_one_thing(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
            hidden = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring is not None else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - hidden
            if lines > FUNCTION_LINES:
                yield f"{module.name}:{node.lineno} {node.name} has {lines} lines: it is asking to be two things"


def rooms_form_no_ring(modules: Sequence[Module]) -> Iterator[str]:
    """The graph of a plane's rooms has no cycle; a needed cycle becomes a bus event."""
    graph: dict[str, set[str]] = {}
    for module in modules:
        if module.room is not None:
            targets = {room_of(name + ".x") for name, _ in module.imports} - {None, module.room}
            graph.setdefault(module.room, set()).update(target for target in targets if target is not None)
    done: set[str] = set()
    for start in sorted(graph):
        yield from _rings(graph, start, [], done)


def _rings(graph: dict[str, set[str]], at: str, trail: list[str], done: set[str]) -> Iterator[str]:
    if at in trail:
        yield " → ".join([*trail[trail.index(at) :], at])
        return
    if at in done:
        return
    for target in sorted(graph.get(at, ())):
        yield from _rings(graph, target, [*trail, at], done)
    done.add(at)


RULES: tuple[Rule, ...] = (
    kernel_knows_no_plane,
    planes_are_strangers,
    only_entrances_import_the_root,
    rooms_meet_through_services,
    furniture_faces_one_way,
    sql_lives_in_repositories,
    statuses_are_declared,
    planes_ask_the_kernel,
    only_faults_are_raised,
    no_drawers,
    files_are_one_thing,
    functions_are_one_thing,
)
