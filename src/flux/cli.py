"""The command `flux`: serve · migrate · demo · paygate demo · content · errors · admin · doctor."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tomllib
from pathlib import Path
from typing import Any

from flux import __version__, admincommand
from flux.porting import commands as porting
from flux.settings import Settings, SettingsError, load_settings
from flux.starting import StartError

CANNOT = 2
"""The exit status when a command could not begin: the last line says why and what to do."""


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not hasattr(arguments, "run"):
        parser.print_help()
        return 0
    try:
        status = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
        return status
    except (SettingsError, StartError) as problem:
        print(f"flux: {problem}", file=sys.stderr)
        return CANNOT
    except BrokenPipeError:
        # Whoever read the output has seen enough (`flux errors | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flux", description="One backend, three APIs, one error contract.")
    parser.add_argument("--version", action="version", version=f"flux {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND")

    serve = commands.add_parser("serve", help="start everything on one data directory")
    _instance_options(serve)
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (default 8080; 0 takes a free one)")
    serve.add_argument(
        "--sandbox", action="store_true", default=None, help="test mode: simulation, outbox, clock, faults"
    )
    serve.add_argument("--workers", type=int, help="processes; more than one needs PostgreSQL")
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser("migrate", help="bring the database up to this version, and stop")
    _instance_options(migrate)
    migrate.set_defaults(run=_migrate)

    demo = commands.add_parser("demo", help="fill a data directory with a community, a blog and a paid API")
    _instance_options(demo)
    demo.set_defaults(run=_demo)

    _paygate_parser(commands)

    _errors_parser(commands)
    admincommand.options(commands)

    doctor = commands.add_parser("doctor", help="check the instance and say what to do")
    _instance_options(doctor)
    doctor.add_argument(
        "--settings", action="store_true", help="list every setting with its default and meaning"
    )
    doctor.set_defaults(run=_doctor)
    porting.add(commands)
    return parser


def _errors_parser(commands: Any) -> None:
    errors = commands.add_parser("errors", help="the error reference: plane, code, routes, last proof")
    errors.add_argument("--plane", choices=("community", "content", "paygate", "operator"))
    errors.add_argument("--json", action="store_true")
    errors.set_defaults(run=_errors, code=None)
    explain = errors.add_subparsers(metavar="explain").add_parser("explain", help="one code, in full")
    explain.add_argument("code")
    explain.set_defaults(run=_errors)


def _paygate_parser(commands: Any) -> None:
    paygate = commands.add_parser("paygate", help="see a payment happen, on a chain of its own")
    paygate.set_defaults(run=lambda _: paygate.print_help())
    show = paygate.add_subparsers(metavar="demo").add_parser(
        "demo", help="start a local chain and a server, list an API, pay and call, and tell each step"
    )
    show.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    show.add_argument(
        "--port", type=int, default=0, help="port of the server (default: a free one; 8080 with --keep)"
    )
    show.set_defaults(run=_show_paygate)


def _show_paygate(arguments: argparse.Namespace) -> int:
    from flux.demonstration.walk import demonstrate

    port = arguments.port or (8080 if arguments.keep else 0)
    return demonstrate(Path.cwd(), port, keep=arguments.keep)


def _instance_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, default=Path("flux-data"), help="data directory (default flux-data)"
    )
    parser.add_argument("--config", type=Path, help="settings file (TOML)")
    parser.add_argument("--database", help="sqlite:///path, postgres://…, or embedded-postgres")


def _settings(arguments: argparse.Namespace) -> Settings:
    given: dict[str, Any] = {}
    for option, key in (
        ("host", "server.host"),
        ("port", "server.port"),
        ("sandbox", "server.sandbox"),
        ("workers", "server.workers"),
        ("database", "store.database"),
    ):
        value = getattr(arguments, option, None)
        if value is not None:
            given[key] = value
    try:
        return load_settings(arguments.config, os.environ, given)
    except OSError as problem:
        raise SettingsError(f"{arguments.config} cannot be read: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{arguments.config} is not TOML: {problem}") from None


def _data_dir(arguments: argparse.Namespace) -> Path:
    data_dir: Path = arguments.data.absolute()
    return data_dir


def _serve(arguments: argparse.Namespace) -> int:
    # Until whoever serves takes over: an end in the middle of a start is an orderly one too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from flux import supervisor
    from flux.workers import WORKER

    if worker := os.environ.get(WORKER):
        return supervisor.work(int(worker))
    return supervisor.serve(_settings(arguments), _data_dir(arguments))


def _migrate(arguments: argparse.Namespace) -> int:
    from flux import supervisor

    return supervisor.migrate(_settings(arguments), _data_dir(arguments))


def _demo(arguments: argparse.Namespace) -> int:
    from flux import supervisor

    for line in supervisor.demo(_settings(arguments), _data_dir(arguments)):
        print(line)
    return 0


def _errors(arguments: argparse.Namespace) -> int:
    from flux import references

    return references.show(
        arguments.plane if hasattr(arguments, "plane") else None,
        arguments.code,
        as_json=getattr(arguments, "json", False),
    )


def _doctor(arguments: argparse.Namespace) -> int:
    if arguments.settings:
        from flux.kernel.watch.doctor import print_settings

        print_settings(sys.stdout)
        return 0
    from flux import supervisor

    return asyncio.run(supervisor.examine(_settings(arguments), _data_dir(arguments), sys.stdout))


if __name__ == "__main__":
    sys.exit(main())
