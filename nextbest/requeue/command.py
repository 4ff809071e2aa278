"""`nextbest requeue`: refused rows, repaired, through the model again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from nextbest.requeue.quarantine import CORRUPT_RECORD, Quarantine, RefusedRow, Requeue, RequeueError, find_quarantine
from nextbest.requeue.repairs import Repair, RepairError, read_repairs

SHOWN_ID_LENGTH = 12

console = Console(highlight=False, soft_wrap=True)


def requeue(
    feed: Annotated[str, typer.Argument(help="The feed, or its staging or quarantine model.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="Repaired rows, JSON lines or .csv: quarantine_id and the columns that changed."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the rows that wait in quarantine.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write these rows to a file, to be repaired there and given as FILE.")
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Send rows back unchanged, after a rule was changed.")] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=EXPRESSION", help="Set a column by SQL over the row; repeatable."),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this expectation.")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only the row whose id begins so; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent back; send nothing.")] = False,
    target: Annotated[str | None, typer.Option(envvar="DBT_TARGET", help="dbt target.")] = None,
    project_dir: Annotated[Path, typer.Option(envvar="DBT_PROJECT_DIR", help="Where dbt_project.yml is.")] = Path(),
    profiles_dir: Annotated[
        Path | None, typer.Option(envvar="DBT_PROFILES_DIR", help="Where profiles.yml is; by default where dbt looks.")
    ] = None,
) -> None:
    """Send repaired rows of a quarantine table back through the model, once each.

    They are appended to the feed's bronze table as records read from `requeue/<quarantine_id>`; the next `dbt build`
    takes them from there. Rows that were sent back before are left alone. See docs/expectations.md.
    """
    ways = [file is not None, show, export is not None, as_is, bool(assignments)]
    if sum(ways) != 1:
        raise typer.BadParameter("give one of FILE, --list, --export, --as-is, --set")
    # Spark's and dbt's packages take seconds to load, which no other command should wait for.
    from databricks.sql.exc import Error

    from nextbest.target import TargetError, read_target

    try:
        read = read_target(target, project_dir, profiles_dir)
        quarantine = find_quarantine(read.models(), feed)
        changes: dict[str, str] | list[Repair] = _assigned(assignments or [], quarantine)
        if file is not None:
            changes = read_repairs(file, list(quarantine.columns))
        with read.connect() as connection, connection.cursor() as cursor:
            session = Requeue(cursor, quarantine)
            wanted = [r.quarantine_id for r in changes] if isinstance(changes, list) else None
            rows = session.rows(rule=rule, prefixes=ids or (), ids=wanted)
            if wanted is not None and rule is None and not ids:
                _refuse_unknown(wanted, rows, quarantine)
            waiting = [row for row in rows if not row.is_sent]
            if show:
                _show(waiting, quarantine)
            elif export is not None:
                session.refuse_masked_values()
                _export(session.records([row.quarantine_id for row in waiting]), export)
            else:
                session.refuse_masked_values()
                _send_back(session, waiting, len(rows), changes, quarantine, dry_run=dry_run)
    except (RequeueError, RepairError, TargetError) as error:
        raise typer.BadParameter(str(error)) from error
    except Error as error:
        raise typer.BadParameter(f"{feed}: nothing was sent back: {error}") from error


def _assigned(assignments: list[str], quarantine: Quarantine) -> dict[str, str]:
    by_name = {name.lower(): name for name in quarantine.columns}
    expressions: dict[str, str] = {}
    for assignment in assignments:
        name, equals, expression = assignment.partition("=")
        column = by_name.get(name.strip().lower())
        if not equals or not expression.strip():
            raise RequeueError(f"--set {assignment}: expected COLUMN=EXPRESSION")
        if column is None:
            raise RequeueError(
                f"--set {assignment}: {name.strip()} is no column of the record; it has {', '.join(quarantine.columns)}"
            )
        if column in expressions:
            raise RequeueError(f"--set {assignment}: {column} is set twice")
        expressions[column] = expression.strip()
    return expressions


def _refuse_unknown(wanted: list[str], rows: list[RefusedRow], quarantine: Quarantine) -> None:
    known = {row.quarantine_id for row in rows}
    unknown = [quarantine_id for quarantine_id in wanted if quarantine_id not in known]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise RequeueError(f"{quarantine.name} has no row {', '.join(unknown[:3])}{more}; see --list and --export")


def _show(waiting: list[RefusedRow], quarantine: Quarantine) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"{quarantine.name}: {len(waiting):,} rows wait", title_justify="left")
    for heading in ("id", "arrived", "broken rules", "source position"):
        table.add_column(heading, overflow="fold")
    for row in waiting:
        table.add_row(
            row.quarantine_id[:SHOWN_ID_LENGTH],
            f"{row.arrived_at:%Y-%m-%d %H:%M:%S}",
            ", ".join(row.broken_rules),
            row.source_position,
        )
    console.print(table)


def _export(records: list[dict[str, Any]], file: Path) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            for record in records:
                stream.write(_json(record) + "\n")
    except FileExistsError as error:
        raise RequeueError(f"{file} exists: choose another name, so that no repair is lost") from error
    except OSError as error:
        raise RequeueError(f"{file} cannot be written ({error.strerror})") from error
    console.print(f"{len(records):,} rows in {file}, personal data included; repair them and give the file to requeue")


def _send_back(
    session: Requeue,
    waiting: list[RefusedRow],
    found: int,
    changes: dict[str, str] | list[Repair],
    quarantine: Quarantine,
    *,
    dry_run: bool,
) -> None:
    ids = [row.quarantine_id for row in waiting]
    before = f"; {found - len(ids):,} had been sent back before" if found > len(ids) else ""
    if dry_run:
        for record in session.repaired(ids, changes) if ids else []:
            console.print(_json(record), markup=False)
        console.print(f"Would send back {len(ids):,} rows of {quarantine.name}{before}")
        return
    if ids:
        session.send_back(ids, changes)
    console.print(f"Sent back {len(ids):,} rows of {quarantine.name} to {quarantine.source_name}{before}")
    if ids:
        console.print("They go through the model with the next `dbt build`.")


def _json(record: dict[str, Any]) -> str:
    shown = {name: list(value) if name == "broken_rules" else value for name, value in record.items()}
    if shown.get(CORRUPT_RECORD) is None:
        shown.pop(CORRUPT_RECORD, None)
    return json.dumps(shown, ensure_ascii=False, default=str)
