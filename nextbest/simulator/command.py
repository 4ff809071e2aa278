"""`nextbest simulate`: a seeded bank's landing files, with the truth beside them."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from nextbest.simulator.run import Report, simulate_days, stored_settings
from nextbest.simulator.settings import Settings, SimulationError

DEFAULTS: dict[str, Any] = {
    "customers": 1000,
    "seed": 1,
    "start": date(2026, 1, 1),
    "late": 0.02,
    "out_of_order": 0.03,
    "duplicated": 0.02,
    "deleted": 0.02,
    "malformed": 0.01,
}


def _default(name: str) -> str:
    return f"[default: {DEFAULTS[name]}]"


def simulate(
    out: Annotated[
        Path,
        typer.Option(help="Directory for landing/<feed>/ and truth/.", file_okay=False),
    ],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days to deliver (with --append: more days).")] = 30,
    customers: Annotated[
        int | None, typer.Option(help=f"Customers, a tenth joining later. {_default('customers')}")
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"The same seed gives the same bytes. {_default('seed')}")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=f"Date of day 1. {_default('start')}"),
    ] = None,
    late: Annotated[
        float | None,
        typer.Option(help=f"Share of records delivered 1 to 3 days late. {_default('late')}"),
    ] = None,
    out_of_order: Annotated[
        float | None,
        typer.Option(help="Share of records out of place, half of them in the next file. " + _default("out_of_order")),
    ] = None,
    duplicated: Annotated[
        float | None,
        typer.Option(help=f"Share of records delivered twice. {_default('duplicated')}"),
    ] = None,
    deleted: Annotated[
        float | None,
        typer.Option(help=f"Share of changes that are deletes. {_default('deleted')}"),
    ] = None,
    malformed: Annotated[
        float | None,
        typer.Option(help="Malformed records, added to the true ones, as a share of them. " + _default("malformed")),
    ] = None,
    append: Annotated[
        bool,
        typer.Option("--append", help="Add days to a simulation, as new files only; its settings stay."),
    ] = False,
) -> None:
    """Write a seeded bank's feeds to landing/ and the true state they describe to truth/."""
    asked = {
        "customers": customers,
        "seed": seed,
        "start": None if start is None else start.date(),
        "late": late,
        "out_of_order": out_of_order,
        "duplicated": duplicated,
        "deleted": deleted,
        "malformed": malformed,
    }
    chosen = {name: value for name, value in asked.items() if value is not None}
    try:
        settings = _settings_to_append(out, chosen) if append else Settings(**DEFAULTS | chosen)
        progress = Progress(
            TextColumn("simulating days"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        with progress:
            task = progress.add_task("days", total=days)
            report = simulate_days(settings, out, days, append=append, on_day=lambda day: progress.advance(task))
    except SimulationError as error:
        raise typer.BadParameter(str(error)) from error
    except OSError as error:
        raise typer.BadParameter(
            f"cannot write to {out} ({error.strerror}): choose a directory that can be written."
        ) from error
    _show(report)


def _settings_to_append(out: Path, chosen: dict[str, Any]) -> Settings:
    stored = stored_settings(out)
    if stored is None:
        raise SimulationError(f"{out} holds no simulation to append to: leave --append out to begin one.")
    for name, value in chosen.items():
        if getattr(stored, name) != value:
            option = name.replace("_", "-")
            raise SimulationError(
                f"--{option} {value} differs from the simulation in {out}, which has "
                f"{getattr(stored, name)}: leave it out, or begin anew in another directory."
            )
    return stored


def _show(report: Report) -> None:
    console = Console()
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=f"Days {report.first_day} to {report.last_day}: "
        f"{report.settings.customers} customers, seed {report.settings.seed}",
    )
    table.add_column("feed", no_wrap=True)
    for heading in ("files", "records", "duplicates", "malformed", "deletes", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, feed in report.feeds.items():
        counts = feed.counts
        numbers = (
            counts.files, counts.records, counts.duplicates, counts.malformed, counts.deletes
        )  # fmt: skip
        table.add_row(name, *(f"{number:,}" for number in numbers), f"{feed.seconds:.1f}")
    console.print(table)
    console.print(
        f"Landing files: {report.truth.parent / 'landing'}\nTruth, to compare with: {report.truth}",
        soft_wrap=True,
        highlight=False,
    )
