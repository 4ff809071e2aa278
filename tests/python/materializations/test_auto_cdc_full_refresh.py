"""A full refresh of an AUTO CDC table is refused where what it was made from is no longer there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from recording import environment, recorded
from scratch_project import SCHEMA, ScratchProject, message_of

OPTIONS: dict[str, Any] = {"keys": "id", "sequence_by": "seq", "scd_type": 2}
VERSIONS = [(1, "Ann"), (1, "Anna"), (2, "Bob")]
FORCED = ("--vars", "force_full_refresh: true")

CHAINS = ("held", "deleted", "forced", "rebuilt", "upstream", "later", "bronze", "expired", "kept", "prod")


@dataclass(frozen=True)
class Chain:
    """Two customers with three versions: changes_<name> <- stg_<name> <- customers_<name>."""

    shop: ScratchProject
    name: str

    @property
    def source(self) -> str:
        return f"changes_{self.name}"

    @property
    def staging(self) -> str:
        return f"stg_{self.name}"

    @property
    def table(self) -> str:
        return f"customers_{self.name}"

    def write(self, staging: str | None = None, **staging_config: Any) -> None:
        """Write the two models, staging with a query of its own where one is given."""
        query = staging or f"select * from {{{{ stream() }}}} {{{{ source('raw', '{self.source}') }}}}"
        self.shop.model(self.staging, query, config={"materialized": "streaming_table", **staging_config})
        self.shop.auto_cdc(self.table, OPTIONS, staging=self.staging)

    def full_refresh(self, *models: str, forced: bool = False, target: str = "local") -> str:
        """`dbt run --full-refresh` of these models, of the whole chain by default: what it ends with."""
        selected = models or (self.staging, self.table)
        outcome = self.shop.dbt(
            "run", "--full-refresh", *(FORCED if forced else ()), "--select", *selected, target=target
        )  # fmt: skip
        return message_of(outcome)

    def versions(self) -> list[tuple[Any, ...]]:
        """What the AUTO CDC table holds."""
        return self.shop.query(f"select id, name from {self.table} order by id, __START_AT")

    def table_id(self) -> Any:
        """Identity of the AUTO CDC table: another one if it was made anew."""
        return self.shop.query(f"describe detail {self.table}")[0][1]


@pytest.fixture(scope="module")
def chains(shop: ScratchProject) -> dict[str, Chain]:
    """All chains, built in one run."""
    found = {name: Chain(shop, name) for name in CHAINS}
    tables = [{"name": chain.source} for chain in found.values()]
    shop.properties("_sources", {"sources": [{"name": "raw", "schema": SCHEMA, "tables": tables}]})
    for chain in found.values():
        shop.query(f"create table {chain.source} (id int, name string, seq bigint)")
        shop.query(f"insert into {chain.source} values (1, 'Ann', 1), (1, 'Anna', 2), (2, 'Bob', 1)")
        chain.write()
    shop.run()
    return found


def test_a_source_that_holds_its_history_may_be_read_again(chains: dict[str, Chain]) -> None:
    chain = chains["held"]
    before = chain.table_id()
    assert chain.full_refresh() == ""
    between = chain.table_id()
    assert chain.full_refresh(chain.table) == ""
    assert len({before, between, chain.table_id()}) == 3
    assert chain.versions() == VERSIONS


def test_rows_deleted_from_staging_are_named_and_the_table_stays(chains: dict[str, Chain]) -> None:
    chain = chains["deleted"]
    before = chain.table_id()
    chain.shop.query(f"delete from {chain.staging} where seq = 1")
    said = chain.full_refresh(chain.table)
    assert "Full refresh of 'customers_deleted' is refused" in said
    assert "what customers_deleted (AUTO CDC) holds could not be made again" in said
    assert "the history of stg_deleted shows DELETE (version 2, " in said
    assert "--vars 'force_full_refresh: true'" in said
    assert chain.versions() == VERSIONS
    assert chain.table_id() == before


def test_a_forced_refresh_loses_what_is_gone(chains: dict[str, Chain]) -> None:
    chain = chains["forced"]
    chain.shop.query(f"delete from {chain.staging} where seq = 1")
    assert chain.full_refresh(chain.table, forced=True) == ""
    assert chain.versions() == [(1, "Anna")]


def test_staging_that_is_rebuilt_in_the_same_run_counts_by_what_it_is_rebuilt_from(chains: dict[str, Chain]) -> None:
    chain = chains["rebuilt"]
    chain.shop.query(f"delete from {chain.staging} where seq = 1")
    assert chain.full_refresh() == ""
    assert chain.versions() == VERSIONS


def test_staging_is_not_dropped_either_where_its_own_source_lost_rows(chains: dict[str, Chain]) -> None:
    chain = chains["upstream"]
    chain.shop.query(f"delete from {chain.source} where id = 2")
    said = chain.full_refresh()
    assert "Full refresh of 'stg_upstream' is refused" in said
    assert "what customers_upstream (AUTO CDC) holds could not be made again" in said
    assert "the history of changes_upstream shows DELETE" in said
    assert chain.shop.query(f"select count(*) from {chain.staging}") == [(3,)]
    assert chain.versions() == VERSIONS


def test_staging_created_later_than_the_table_may_never_have_held_everything(chains: dict[str, Chain]) -> None:
    chain = chains["later"]
    chain.shop.query(f"drop table {chain.staging}")
    chain.shop.run("--select", chain.staging)
    said = chain.full_refresh(chain.table)
    assert "stg_later was created at " in said
    assert "select it too, so that it is rebuilt in the same run" in said
    assert chain.full_refresh() == ""
    assert chain.versions() == VERSIONS


def test_bronze_that_is_never_rebuilt_is_looked_at_behind_ephemeral_models(chains: dict[str, Chain]) -> None:
    chain = chains["bronze"]
    bronze = f"select * from {{{{ stream() }}}} {{{{ source('raw', '{chain.source}') }}}}"
    chain.shop.model("bronze", bronze, config={"materialized": "streaming_table", "full_refresh": False})
    typed = "select * from {{ stream() }} {{ ref('bronze') }}"
    chain.shop.model("typed", typed, config={"materialized": "ephemeral"})
    chain.write("select * from {{ ref('typed') }}")
    assert chain.full_refresh("bronze", chain.staging, chain.table, forced=True) == ""
    assert chain.full_refresh("bronze", chain.staging, chain.table) == ""
    assert chain.versions() == VERSIONS
    chain.shop.query("delete from bronze where id = 2")
    assert "the history of bronze shows DELETE" in chain.full_refresh("bronze", chain.staging, chain.table)
    assert "the history of bronze shows DELETE" in chain.full_refresh()
    assert chain.versions() == VERSIONS


def test_nothing_tells_whether_files_still_hold_what_they_held(shop: ScratchProject, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"id": 1, "name": "Ann", "seq": 1}\n', encoding="utf-8")
    files = (
        f"select * from stream read_files('{tmp_path}', format => 'json', schema => 'id int, name string, seq bigint')"
    )
    chain = Chain(shop, "from_files")
    chain.write(files)
    shop.run("--select", chain.staging, chain.table)
    assert "stg_from_files is made anew in this run from files or topics" in chain.full_refresh()
    before = chain.table_id()
    chain.write(files, full_refresh=False)
    assert chain.full_refresh() == ""
    assert chain.table_id() != before
    assert chain.versions() == [(1, "Ann")]


def test_a_history_that_does_not_begin_at_version_0_is_refused(chains: dict[str, Chain]) -> None:
    chain = chains["expired"]
    chain.shop.query(f"alter table {chain.source} set tblproperties ('delta.checkpointInterval' = '2')")
    for seq in range(3, 7):
        chain.shop.query(f"insert into {chain.source} values (2, 'Bob', {seq})")
    log = chain.shop.warehouse / f"{SCHEMA}.db" / chain.source / "_delta_log"
    assert list(log.glob("*.checkpoint*"))
    # What the cleanup of the log does after delta.logRetentionDuration.
    for version in range(3):
        (log / f"{version:020}.json").unlink()
    said = chain.full_refresh()
    assert "the history of changes_expired begins at version 3, so that what was removed before is not recorded" in said


def test_a_reader_that_is_never_rebuilt_keeps_its_source_from_being_dropped(chains: dict[str, Chain]) -> None:
    chain = chains["kept"]
    chain.shop.auto_cdc(chain.table, OPTIONS, staging=chain.staging, config={"full_refresh": False})
    said = chain.full_refresh()
    assert "would break the streaming tables that read it and are not fully refreshed with it: customers_kept" in said
    assert chain.versions() == VERSIONS


def test_dbt_databricks_itself_finds_the_same(chains: dict[str, Chain], monkeypatch: pytest.MonkeyPatch) -> None:
    """The target of type `databricks`, its statements answered here: what it makes of history and detail is its own."""
    chain = chains["prod"]
    chain.shop.query(f"delete from {chain.staging} where seq = 1")
    for name, value in environment(chain.shop.directory).items():
        monkeypatch.setenv(name, value)
    with recorded(chain.shop) as recording:
        said = chain.full_refresh(chain.table, target="prod")
    assert "the history of stg_prod shows DELETE (version 2, " in said
    assert "DESCRIBE HISTORY `spark_catalog`.`shop`.`stg_prod`" in recording.statements
    assert not [s for s in recording.statements if s.lower().startswith("drop")]
    assert chain.versions() == VERSIONS


REMOVING = {
    "DELETE": ["delete from {} where id = 2"],
    "UPDATE": ["update {} set name = 'Bea' where id = 2"],
    "TRUNCATE": ["truncate table {}"],
    "MERGE": ["merge into {} t using (select 2 as id) s on t.id = s.id when matched then delete"],
    "WRITE": ["insert overwrite {} select 3, 'Cy', 1"],
    "CREATE OR REPLACE TABLE": ["create or replace table {} (id int, name string, seq bigint)"],
    "RESTORE": ["insert into {} values (3, 'Cy', 1)", "restore table {} to version as of 1"],
}
HARMLESS = {
    "append": ["insert into {} values (3, 'Cy', 1)"],
    "optimize": ["optimize {}"],
    "properties": ["alter table {} set tblproperties ('team' = 'crm')"],
    "inserting_merge": [
        "merge into {} t using (select 3 as id, 'Cy' as name, cast(1 as bigint) as seq) s on t.id = s.id "
        "when not matched then insert *"
    ],
    "deletes_nothing": ["delete from {} where id = 99"],
}


# A model with what the check finds in each source, as text.
FOUND = """
{% for name in var('names') %}
select
    '{{ name }}' as name,
    {% if execute %}
    {% set source_node = graph.sources['source.scratch.worked.' ~ name] %}
    {{ sql_string(table_losses(source_node, modules.datetime.datetime.now(modules.pytz.utc)) | join('; ')) }}
    {% else %}
    ''
    {% endif %} as losses
{{ 'union all' if not loop.last }}
{% endfor %}
"""


@pytest.fixture(scope="module")
def losses(shop: ScratchProject) -> dict[str, str]:
    """What is found in the history of a table after each operation, by the table's name."""
    work = {f"after_{name.lower().replace(' ', '_')}": statements for name, statements in (REMOVING | HARMLESS).items()}
    shop.properties(
        "_worked", {"sources": [{"name": "worked", "schema": SCHEMA, "tables": [{"name": n} for n in work]}]}
    )
    for name, statements in work.items():
        shop.query(f"create table {name} (id int, name string, seq bigint)")
        shop.query(f"insert into {name} values (1, 'Ann', 1), (2, 'Bob', 1)")
        for statement in statements:
            shop.query(statement.format(name))
    shop.model("found", FOUND, config={"materialized": "table"})
    shop.run("--select", "found", "--vars", f"names: {list(work)}")
    return dict(shop.query("select name, losses from found"))


@pytest.mark.parametrize("operation", REMOVING)
def test_an_operation_that_removes_rows_is_named(losses: dict[str, str], operation: str) -> None:
    name = f"after_{operation.lower().replace(' ', '_')}"
    assert f"the history of {name} shows {operation} (version " in losses[name]


@pytest.mark.parametrize("operation", HARMLESS)
def test_an_operation_that_removes_nothing_is_no_reason(losses: dict[str, str], operation: str) -> None:
    assert losses[f"after_{operation}"] == ""
