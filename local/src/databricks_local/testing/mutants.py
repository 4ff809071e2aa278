"""Deliberate mistakes in the merge, and what of the kit catches each.

A mutant is the source of one function of `databricks_local.auto_cdc` with a piece of text replaced. `python -m
databricks_local.testing.mutants` puts each through `converges` and prints the table that docs/testing-cdc.md shows.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from databricks_local.testing import exhaustive, random_histories
from databricks_local.testing.convergence import DidNotConverge, converges
from databricks_local.testing.kit import CdcKit
from databricks_local.testing.model import CdcModel

_SOURCE = (
    "k bigint, part string, seq bigint, lsn int, op string, v string, w int, s struct<x: int, y: string>, note string"
)


def _model(name: str, clauses: str) -> CdcModel:
    head, _, tail = clauses.partition("|")
    return CdcModel(
        statement=f"CREATE OR REFRESH STREAMING TABLE {name} FLOW AUTO CDC FROM STREAM(changes) KEYS (part, k) {head} "
        "SEQUENCE BY STRUCT(seq, lsn) COLUMNS * EXCEPT (op, seq, lsn, note) " + tail,
        source=_SOURCE,
    )


# A truncate is a delete by its condition too: which of the two is looked at first matters.
_DELETES = "APPLY AS DELETE WHEN op = 'd'"
_TRUNCATES = "APPLY AS DELETE WHEN op in ('d', 't') APPLY AS TRUNCATE WHEN op = 't'"

MODELS = {
    "current": _model("current", f"{_TRUNCATES} | STORED AS SCD TYPE 1"),
    "current, partial": _model("partial_current", f"IGNORE NULL UPDATES ON (v, s) {_TRUNCATES} | STORED AS SCD TYPE 1"),
    "history": _model("history", f"{_DELETES} | STORED AS SCD TYPE 2 TRACK HISTORY ON v, w"),
    "history, partial": _model("partial_history", f"IGNORE NULL UPDATES {_DELETES} | STORED AS SCD TYPE 2"),
}
"""The kinds of table: SCD TYPE 1 and 2, whole rows and IGNORE NULL UPDATES; two key columns, a STRUCT as sequence."""


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        name: what the merge then does wrong.
        rule: the number of the rule that it breaks, as in docs/testing-cdc.md.
        model: one of MODELS.
        module: of `databricks_local.auto_cdc`.
        replacements: pieces of text of the module, each in one function only, and what stands there instead.
        crash: the durable step after which one refresh is stopped, where only that shows the mistake.
    """

    name: str
    rule: str
    model: str
    module: str
    replacements: Sequence[tuple[str, str]]
    crash: str | None = None


_STANDS = 'f"__cdc_recorded is null or {LATEST} >= __cdc_recorded as __cdc_stands"'
_NEW_EVENTS = "events.where(IS_NEW)"

MUTANTS = (
    Mutant("the last arrival wins", "2", "current", "latest", [(_STANDS, '"true as __cdc_stands"')]),
    Mutant(
        "within a batch any event of a key counts", "2", "current", "events",
        [("order by {SEQUENCE} desc, {KIND} desc, {DIGEST} desc)", "order by {DIGEST} desc)")],
    ),
    Mutant(
        "only the first field of the STRUCT orders", "2", "current", "latest",
        [(_STANDS, 'f"__cdc_recorded is null or {LATEST}.{SEQUENCE}.seq >= __cdc_recorded.{SEQUENCE}.seq '
                   'as __cdc_stands"')],
    ),
    Mutant(
        "only the first key column identifies a row", "2", "current", "layout",
        [("for f in self.keys", "for f in self.keys[:1]")],
    ),
    Mutant(
        "each batch is judged by itself", "3", "current", "latest", [("if is_later:", "if True:")],
    ),
    Mutant(
        "each batch is judged by itself", "3", "history", "timeline", [("if not log.is_empty:", "if False:")],
    ),
    Mutant(
        "a batch is taken for later than all before when its last event is", "3", "current", "progress",
        [("coalesce(min({sequence}) > {recorded}", "coalesce(max({sequence}) > {recorded}")],
    ),
    Mutant(
        "a batch is taken for later than all before when its last event is", "3", "history", "progress",
        [("coalesce(min({sequence}) > {recorded}", "coalesce(max({sequence}) > {recorded}")],
    ),
    Mutant(
        "what was recorded last counts as the latest", "3", "current", "progress",
        [("greatest(max({sequence}), {recorded})", "max({sequence})")],
    ),
    Mutant(
        "a later batch begins anew what is open", "3", "history", "history",
        [('target.where(f"{END_AT} is null")', 'target.where("false")')],
    ),
    Mutant(
        "a later batch goes on with what is closed", "14", "history", "history",
        [('target.where(f"{END_AT} is null")', 'target.where("true")')],
    ),
    Mutant(
        "a replay is recorded again", "3", "history", "state",
        [(_NEW_EVENTS, 'events.where("true")')],
    ),
    Mutant(
        "an event that is read again with a new column is another one", "3, 25", "current", "events",
        [("_JSON_OF_CONTENT", "_JSON_WITH_NULLS")],
    ),
    Mutant(
        "a replay writes the rows again", "3", "current", "target",
        [("when matched and ({differs}) then update", "when matched then update")],
    ),
    Mutant(
        "what was recorded before a crash counts as done", "3", "current", "latest",
        [(_STANDS, _STANDS.replace(">=", ">"))], crash="events",
    ),
    Mutant(
        "ties go to the later arrival", "4", "current", "latest",
        [(_STANDS, 'f"__cdc_recorded is null or {LATEST}.{SEQUENCE} >= __cdc_recorded.{SEQUENCE} as __cdc_stands"')],
    ),
    Mutant(
        "ties go to the later arrival", "4", "history", "timeline",
        [("order by {KIND} desc, {DIGEST} desc, __cdc_in_batch)", "order by __cdc_in_batch desc)")],
    ),
    Mutant(
        "both of two tied events count, one with a record of no width", "4, 12", "history", "timeline",
        [('.where("__cdc_nth = 1")', '.where("__cdc_nth <= 2")')],
    ),
    Mutant(
        "a NULL condition deletes", "1", "current", "events",
        [('f"coalesce(({condition}), false)"', 'f"coalesce(({condition}), true)"')],
    ),
    Mutant(
        "deletes are looked at before truncates", "1", "current", "events",
        [("case when {truncate} then {TRUNCATE} when {delete} then {DELETE}",
          "case when {delete} then {DELETE} when {truncate} then {TRUNCATE}")],
    ),
    Mutant(
        "deletes are not remembered", "10", "current", "state",
        [(_NEW_EVENTS, _NEW_EVENTS + '.where(f"{LATEST}.{KIND} <> {DELETE}")')],
    ),
    Mutant(
        "deletes are not remembered", "15", "history", "state",
        [(_NEW_EVENTS, _NEW_EVENTS + '.where(f"{KIND} <> {DELETE}")')],
    ),
    Mutant(
        "compaction forgets deletes", "10", "current", "state",
        [("rows.groupBy(*keys).agg(", 'rows.where(f"{KIND} <> {DELETE}").groupBy(*keys).agg(')],
    ),
    Mutant(
        "compaction keeps the oldest event", "10", "current", "state",
        [("max_by(struct({ORDER}", "min_by(struct({ORDER}")],
    ),
    Mutant(
        "an older delete removes a newer row", "10", "current", "latest",
        [(_STANDS, _STANDS.replace(" as ", " or {LATEST}.{KIND} = {DELETE} as "))],
    ),
    Mutant(
        "a truncate is not remembered", "11", "current", "latest",
        [('f"coalesce({LATEST}.{SEQUENCE} <= __cdc_mark, false)"', '"false"')],
    ),
    Mutant(
        "a truncate leaves what is there", "11", "current", "latest",
        [("gone = state.latest(layout)", "gone = state.latest(layout, state.log().limit(0))")],
    ),
    Mutant(
        "a truncate takes newer rows too", "11", "current", "latest",
        [('.where(f"{LATEST}.{SEQUENCE} <= __cdc_mark")', '.where("true")')],
    ),
    Mutant(
        "of two truncates the older one counts", "11", "current", "state",
        [("max({SEQUENCE}) as __cdc_mark", "min({SEQUENCE}) as __cdc_mark")],
    ),
    Mutant(
        "values are inherited across a truncate", "20", "current, partial", "latest",
        [('f"if(coalesce({SEQUENCE} <= __cdc_mark, false), {DELETE}, {KIND})"', "KIND")],
    ),
    Mutant(
        "a run shows the values of its first event", "13", "history", "history",
        [('f"{KIND} = {UPSERT} and coalesce(__cdc_next_bounds, true)"', '"__cdc_starts"')],
    ),
    Mutant(
        "a change of what is not tracked opens a record", "16", "history", "history",
        [("if f.name.lower() in tracked_names", "if True")],
    ),
    Mutant(
        "equal values close the gap of a delete", "14", "history", "history",
        [('f"lag(__cdc_values) {window} as __cdc_values_before"',
          'f"last_value(if({KIND} = {UPSERT}, __cdc_values, null), true) {window[:-1]} '
          'rows between unbounded preceding and 1 preceding) as __cdc_values_before"'),
         ("(__cdc_kind_before is null or __cdc_kind_before <> {UPSERT} ", "(__cdc_values_before is null ")],
    ),
    Mutant(
        "a delete does not end a record", "14", "history", "history",
        [("lead(__cdc_starts or {KIND} <> {UPSERT})", "lead(__cdc_starts)")],
    ),
    Mutant(
        "a late event does not pull a start back", "15", "history", "history",
        [('f"not __cdc_starts and {SEQUENCE} >= {FIRST} and {reaches}"', '"false"')],
    ),
    Mutant(
        "a late event does not close the record before it", "15", "history", "history",
        [("__cdc_next >= {FIRST}", "__cdc_next > {FIRST}")],
    ),
    Mutant(
        "upserts that change nothing are not remembered", "15", "history", "state",
        [(_NEW_EVENTS,
          'events.selectExpr("*", f"lag({DIGEST}) over (partition by {\', \'.join(names(layout.keys))} '
          'order by {SEQUENCE}) as __cdc_same").where(f"{IS_NEW} and not (__cdc_same <=> {DIGEST})")')],
    ),
    Mutant(
        "NULL overwrites where it is ignored", "19", "history, partial", "inheritance",
        [("if not layout.plan.inherits:", "if True:")],
    ),
    Mutant(
        "a struct is inherited whole", "19", "current, partial", "inheritance",
        [("if not isinstance(data_type, StructType) or not data_type.fields:", "if True:")],
    ),
    Mutant(
        "values are inherited across a delete", "20", "history, partial", "inheritance",
        [('f"count_if({KIND} = {DELETE}) over (partition by {keys} order by {SEQUENCE})"', '"0"')],
    ),
    Mutant(
        "a late value reaches the next record only", "21", "history, partial", "history",
        [('reaches = "true" if layout.plan.inherits else ', "reaches = "),
         ('reaches_start = "true" if layout.plan.inherits else ', "reaches_start = ")],
    ),
    Mutant(
        "a column that appears later is not remembered", "25", "history", "state",
        [("evolve(self._spark, self._name, [*layout.keys, *layout.kept, *_authored(layout)])", "pass")],
    ),
)  # fmt: skip
"""Every rule that the merge has to keep is broken by one of them at least."""


@dataclass(frozen=True)
class Caught:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        function: that was changed.
        by: the smallest history that failed, or the error; None: it survived.
        failed: how many histories failed at the first moment at which any did.
    """

    mutant: Mutant
    function: str
    by: str | None
    failed: int


@contextmanager
def mutated(mutant: Mutant) -> Iterator[list[str]]:
    """Within it, the functions of a mutant have its code; gives their names.

    Raises:
        LookupError: a piece of text is not in exactly one function of the module.
    """
    module = import_module(f"databricks_local.auto_cdc.{mutant.module}")
    texts: dict[str, list[tuple[str, str]]] = {}
    functions: dict[str, FunctionType] = {}
    for old, new in mutant.replacements:
        name, function = _function_with(module, old)
        functions[name] = function
        texts.setdefault(name, []).append((old, new))
    with ExitStack() as changed:
        for name, function in functions.items():
            changed.callback(setattr, function, "__code__", function.__code__)
            function.__code__ = _compiled(function, texts[name])
        yield sorted(functions)


def _function_with(module: ModuleType, text: str) -> tuple[str, FunctionType]:
    found = [(name, function) for name, function in _functions(module) if _source(function).count(text) == 1]
    if len(found) != 1:
        raise LookupError(
            f"{text!r} is in {len(found)} functions of {module.__name__}, expected one; the merge has changed, so the "
            "mutant has to follow"
        )
    return found[0]


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    for name, member in vars(module).items():
        if isinstance(member, FunctionType) and member.__module__ == module.__name__:
            yield name, member
        elif inspect.isclass(member) and member.__module__ == module.__name__:
            for method, function in vars(member).items():
                if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                    yield f"{name}.{method}", function


def _source(function: FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except OSError:
        # What dataclasses generate has none.
        return ""


def _compiled(function: FunctionType, texts: Sequence[tuple[str, str]]) -> CodeType:
    source = _source(function)
    for old, new in texts:
        source = source.replace(old, new)
    tree = ast.parse(source)
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    code = compile(tree, function.__code__.co_filename, "exec", __future__.annotations.compiler_flag)
    namespace: dict[str, FunctionType] = {}
    exec(code, function.__globals__, namespace)
    return namespace[definition.name].__code__


def catch(mutant: Mutant, kit: CdcKit) -> Caught:
    """Put a mutant through the kit."""
    with mutated(mutant) as functions:
        function = ", ".join(f"{mutant.module}.{name}" for name in functions)
        crashes = [] if mutant.crash is None else [mutant.crash]
        try:
            converges(MODELS[mutant.model], kit, crashes=crashes, shrink=False)
        except DidNotConverge as failure:
            return Caught(mutant, function, _cause(failure), len(failure.failures))
    return Caught(mutant, function, None, 0)


def _cause(failure: DidNotConverge) -> str:
    """The smallest history that failed, a named one where there is one; the error, where a whole batch failed."""
    if isinstance(failure.smallest.found, str):
        # What follows the class of an error are names of the kit's own tables, other ones in each run.
        what = failure.smallest.found.splitlines()[0]
        refused = re.match(r"the refresh failed: \[([\w.]+)\]", what)
        return f"the refresh failed with {refused[1]}" if refused else what
    enumerated = (exhaustive.ORIGIN, random_histories.ORIGIN)
    named = [f for f in failure.failures if f.history.origin not in enumerated]
    smallest = min(named or failure.failures, key=lambda f: f.history.size)
    if named:
        return f"`{smallest.history.origin}`"
    batches = [", ".join(batch) for batch in smallest.history.lines()[: smallest.batch + 1] if batch]
    return f"`{' / '.join(batches)}`"


def row(caught: Caught) -> str:
    """A row of the table."""
    mutant = caught.mutant
    by = "**nothing**" if caught.by is None else caught.by
    if caught.by is not None and caught.by.startswith("`"):
        by = f"{by}, with {caught.failed - 1:,} others"
    return f"| {mutant.name} | {mutant.rule} | {mutant.model} | `{caught.function}` | {by} |"


HEADER = "| mistake | rule | table | in | caught by |\n|--|--|--|--|--|"


def main() -> int:
    """Print the table of all mutants; 1 if any survives."""
    survivors = 0
    print(HEADER)
    with tempfile.TemporaryDirectory() as scratch:
        kit = CdcKit(Path(scratch))
        for mutant in MUTANTS:
            caught = catch(mutant, kit)
            survivors += caught.by is None
            print(row(caught), flush=True)
        kit.close()
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
