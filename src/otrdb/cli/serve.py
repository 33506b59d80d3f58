"""`otrdb serve`: an archive over the network."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.core import ParameterSource

from otrdb.cli.collect import checked_interval, observer, own_collection
from otrdb.cli.failures import INTERRUPTED, describe
from otrdb.cli.options import archive_option
from otrdb.collect.schedule import stopping_on_signals
from otrdb.errors import Damaged, DiskFull, OtrError
from otrdb.export import import_extra
from otrdb.server.settings import TABLE, TRUTH, choose

if TYPE_CHECKING:
    from collections.abc import Callable

    from otrdb.collect.loop import Status
    from otrdb.collect.schedule import Stop
    from otrdb.export import Foreign
    from otrdb.server.serving import Serving
    from otrdb.server.settings import Setting, Settings

_HOUR: Final = 3600.0
_HOLD: Final = 3600
_EVERYWHERE: Final = {"0.0.0.0", "[::]"}


def _option(setting: Setting) -> Callable[[Any], Any]:
    if setting.form is TRUTH:
        names = f"{setting.flag}/--no-{setting.flag.removeprefix('--')}"
        return click.option(names, setting.name, default=None, help=setting.help)
    return click.option(setting.flag, setting.name, metavar=setting.form.metavar, help=setting.help)


def _settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds a flag for every setting but the archive, which all commands have."""
    for setting in reversed(TABLE.values()):
        if setting.name != "archive":
            function = _option(setting)(function)
    return function


@click.command("serve")
@_settings_options
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="OTRDB_CONFIG",
    help="A TOML file of settings; or set $OTRDB_CONFIG.",
)
@click.option(
    "--show-config", is_flag=True, help="Print the settings in force and where they are from, and end."
)
@click.option("--plain", is_flag=True, help="With --collect: a line every few seconds instead of a table.")
@archive_option
@click.pass_context
def command(
    context: click.Context,
    /,
    archive: Path,
    config: Path | None,
    show_config: bool,
    plain: bool,
    **given: Foreign,
) -> None:
    """Answer the clients of BTrDB, and OtrDB's own, over gRPC until Ctrl-C or SIGTERM.

    Every setting may also be in a TOML file (grpc_tls = "..." for --grpc-tls) or a variable of the
    environment (OTRDB_SERVE_GRPC_TLS). Flags go before variables, and these before the file.
    """
    chosen = choose(_flags(context, archive, given), os.environ, config)
    if show_config:
        click.echo(str(chosen))
        return
    for package in ("grpc", "grpc_health", "grpc_reflection"):
        import_extra(package, "server")
    if chosen.settings.collect != "none":
        import_extra("psutil", "collect")
        checked_interval(chosen.settings.collect_every)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    _serve(chosen.settings, plain)


def _flags(context: click.Context, archive: Path, given: dict[str, Any]) -> dict[str, str]:
    """What was given on the command line, as text."""
    flags = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    typed = {name: text for name, text in flags.items() if text is not None}
    sources = [each.get_parameter_source("archive") for each in (context, context.find_root())]
    return typed | ({"archive": str(archive)} if ParameterSource.COMMANDLINE in sources else {})


def _serve(settings: Settings, plain: bool) -> None:
    from otrdb.server.notify import READY, STOPPING, notify
    from otrdb.server.serving import serving

    with stopping_on_signals(_at_once) as stop:
        with serving(settings) as served:
            _greet(settings, served)
            notify(READY)
            _work(settings, served, stop, plain)
            notify(STOPPING)
        click.echo(f"Stopped; every point that was acknowledged is in {settings.archive}.", err=True)
        if not served.server.ended:
            os._exit(0)  # the archive is closed; what is still being answered has nobody who waits for it


def _at_once(*_: object) -> NoReturn:
    """What is acknowledged is as safe as the durability promises, whenever the process ends."""
    os._exit(INTERRUPTED)


def _greet(settings: Settings, served: Serving) -> None:
    click.echo(f"{settings.archive} is served at {' and '.join(served.server.addresses)}.")
    for remark in served.remarks:
        click.echo(remark, err=True)
    place = served.server.addresses[0]
    host, _, port = place.rpartition(":")
    if host in _EVERYWHERE:
        place = f"{socket.gethostname()}:{port}"
    scheme = "grpcs" if settings.grpc == "none" else "grpc"
    key, api_key = (', apikey="..."', ', api_key="..."') if served.keys_needed else ("", "")
    click.echo(f'  with btrdb:  btrdb.connect("{place}"{key})')
    click.echo(f'  with otrdb:  otrdb.connect("{scheme}://{place}"{api_key})')


def _work(settings: Settings, served: Serving, stop: Stop, plain: bool) -> None:
    """Whatever is to be done beside answering, until told to stop."""
    from otrdb.collect.housekeeping import Housekeeping

    upkeep = Housekeeping(served.archive) if settings.housekeeping else _nothing
    try:
        if settings.collect == "host":
            _collect(settings, served, stop, plain, upkeep)
    except OtrError as error:
        click.echo(f"Collecting has ended, answering goes on. {describe(error)}", err=True)
    keep_house(upkeep, stop.wait)


def _nothing() -> None:
    """No housekeeping."""


def _collect(
    settings: Settings, served: Serving, stop: Stop, plain: bool, upkeep: Callable[[], None]
) -> Status:
    from otrdb.collect.clock import SystemClock, clock_is_right
    from otrdb.collect.host import HostCollector
    from otrdb.collect.loop import Loop
    from otrdb.collect.recorder import Recorder

    interval = settings.collect_every
    recorder = Recorder(served.archive, settings.collection or own_collection())
    with observer(recorder, settings.archive, interval, plain) as observe:
        loop = Loop(
            HostCollector(), recorder, SystemClock(), clock_is_right, interval, _HOLD, observe, upkeep
        )
        return loop.run(stop.wait)


def keep_house(upkeep: Callable[[], None], wait: Callable[[float], bool]) -> None:
    """Call `upkeep` now and every hour, if the clock can be believed, until `wait` returns True."""
    from otrdb.collect.clock import clock_is_right

    while not wait(0):
        try:
            if clock_is_right():
                upkeep()
        except (DiskFull, Damaged) as error:
            click.echo(describe(error), err=True)
        wait(_HOUR)
