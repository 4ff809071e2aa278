"""dbt.tests.adapter.hooks on the local executor."""

from __future__ import annotations

from typing import Any

import pytest
from dbt.tests.adapter.hooks.test_model_hooks import (
    BaseDuplicateHooksInConfigs,
    BaseHookRefs,
    BaseHooksRefsOnSeeds,
    BasePrePostModelHooks,
    BasePrePostModelHooksInConfig,
    BasePrePostModelHooksInConfigKwargs,
    BasePrePostModelHooksInConfigWithCount,
    BasePrePostModelHooksOnSeeds,
    BasePrePostModelHooksOnSeedsPlusPrefixed,
    BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace,
    BasePrePostModelHooksOnSnapshots,
    BasePrePostSnapshotHooksInConfigKwargs,
)
from dbt.tests.adapter.hooks.test_run_hooks import BaseAfterRunHooks, BasePrePostRunHooks

FIELDS = {
    "test_state": "string", "target_dbname": "string", "target_host": "string", "target_name": "string",
    "target_schema": "string", "target_type": "string", "target_user": "string", "target_pass": "string",
    "target_threads": "int", "run_started_at": "string", "invocation_id": "string", "thread_id": "string",
}  # fmt: skip


class HookTable:
    """The base classes fill and read a table in the SQL and with the profile of Postgres."""

    hook_table = "on_model_hook"

    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: Any) -> None:
        self.create(project)

    def create(self, project: Any) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in FIELDS.items())
        project.run_sql(f"create or replace table {self.hook_table} ({columns})")

    def contexts(self, state: str, project: Any) -> list[dict[str, Any]]:
        rows = project.run_sql(f"select * from {self.hook_table} where test_state = '{state}'", fetch="all")
        return [row.asDict() for row in rows]

    def check_hooks(self, state: str, project: Any, host: str | None, count: int = 1) -> None:
        contexts = self.contexts(state, project)
        assert len(contexts) == count
        for context in contexts:
            assert context["target_name"] == "default"
            assert context["target_schema"] == project.test_schema
            assert context["target_threads"] == 4
            assert context["target_type"] == "databricks_local"
            assert context["run_started_at"]
            assert context["invocation_id"]
            assert context["thread_id"].startswith(("Thread-", "MainThread"))


class TestPrePostModelHooks(HookTable, BasePrePostModelHooks):
    pass


@pytest.mark.long
class TestPrePostModelHooksInConfig(HookTable, BasePrePostModelHooksInConfig):
    pass


@pytest.mark.long
class TestPrePostModelHooksInConfigWithCount(HookTable, BasePrePostModelHooksInConfigWithCount):
    pass


@pytest.mark.long
class TestPrePostModelHooksInConfigKwargs(HookTable, BasePrePostModelHooksInConfigKwargs):
    pass


@pytest.mark.long
class TestHookRefs(HookTable, BaseHookRefs):
    pass


@pytest.mark.long
class TestPrePostModelHooksOnSeeds(BasePrePostModelHooksOnSeeds):
    pass


@pytest.mark.long
class TestHooksRefsOnSeeds(BaseHooksRefsOnSeeds):
    pass


@pytest.mark.long
class TestPrePostModelHooksOnSeedsPlusPrefixed(BasePrePostModelHooksOnSeedsPlusPrefixed):
    pass


@pytest.mark.long
class TestPrePostModelHooksOnSeedsPlusPrefixedWhitespace(BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace):
    pass


@pytest.mark.long
class TestPrePostModelHooksOnSnapshots(BasePrePostModelHooksOnSnapshots):
    pass


@pytest.mark.long
class TestPrePostSnapshotHooksInConfigKwargs(BasePrePostSnapshotHooksInConfigKwargs):
    pass


@pytest.mark.long
class TestDuplicateHooksInConfigs(BaseDuplicateHooksInConfigs):
    pass


@pytest.mark.long
class TestPrePostRunHooks(HookTable, BasePrePostRunHooks):
    hook_table = "on_run_hook"

    @pytest.fixture(autouse=True)
    def setUp(self, project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.create(project)
        for name in ("schemas", "db_schemas"):
            project.run_sql(f"drop table if exists {name}")
        monkeypatch.setenv("TERM_TEST", "TESTING")

    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        update: dict[str, Any] = _RUN_HOOKS.copy()
        update["seeds"] = {"quote_columns": False}
        return update


_TABLES = "{{ target.schema }}"
_RUN_HOOKS = {
    "on-run-start": [
        "{{ custom_run_hook('start', target, run_started_at, invocation_id) }}",
        f"create table {_TABLES}.start_hook_order_test (id int)",
        f"drop table {_TABLES}.start_hook_order_test",
        "{{ log(env_var('TERM_TEST'), info=True) }}",
    ],
    "on-run-end": [
        "{{ custom_run_hook('end', target, run_started_at, invocation_id) }}",
        f"create table {_TABLES}.end_hook_order_test (id int)",
        f"drop table {_TABLES}.end_hook_order_test",
        f"create table {_TABLES}.schemas as select explode(array('{{{{ schemas | join(\"', '\") }}}}')) as schema",
        f"create table {_TABLES}.db_schemas (db string, schema string)",
        f"insert into {_TABLES}.db_schemas values "
        "{% for db, schema in database_schemas %}"
        "('{{ db }}', '{{ schema }}'){% if not loop.last %},{% endif %}{% endfor %}",
    ],
}


@pytest.mark.long
class TestAfterRunHooks(BaseAfterRunHooks):
    pass
