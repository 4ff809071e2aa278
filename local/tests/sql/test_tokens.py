"""Where words, numbers and symbols end: as in Spark's own lexer, which is asked for its opinion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from databricks_local.sql.reader import Reader
from databricks_local.sql.tokens import Kind, significant, tokenize


def kinds(sql: str) -> list[tuple[str, str]]:
    """The tokens with their kinds, white space left out."""
    return [(token.text, token.kind.value) for token in significant(sql)]


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "10",
        "10L",
        "7s",
        "7Y",
        "1e5",
        "1E+5",
        "1e-5",
        "3d",
        "3F",
        "5BD",
        "1e5bd",
        "1.5",
        "1.",
        ".5",
        "1.5e3",
        "2.0D",
    ],
)
def test_a_number_is_one_token(number: str) -> None:
    assert kinds(f"select {number} as n")[1] == (number, "number")


@pytest.mark.parametrize(
    "name",
    ["25fecb0eee0597718e2e985a4c466e1a", "3d5b538", "538a60f2", "1e5x", "2id", "5bdx", "10LL", "0x1F", "1_000", "1e"],
)
def test_a_name_may_begin_with_a_digit(name: str) -> None:
    assert kinds(f"drop constraint {name}")[2] == (name, "word")
    assert Reader(f"s.{name}.t").name().parts == ("s", name, "t")


def test_a_point_before_a_name_that_begins_with_a_digit_stands_alone() -> None:
    assert kinds("t.25fecb") == [("t", "word"), (".", "symbol"), ("25fecb", "word")]


def test_a_sign_belongs_to_a_number_only_within_an_exponent() -> None:
    assert kinds("1e-5-3d+1e") == [
        ("1e-5", "number"),
        ("-", "symbol"),
        ("3d", "number"),
        ("+", "symbol"),
        ("1e", "word"),
    ]


def spark_tokens(spark: SparkSession, sql: str) -> list[tuple[str, bool]]:
    """What Spark's lexer makes of a text: each token, and whether it is a number."""
    jvm: Any = spark.sparkContext._jvm
    assert jvm is not None
    parser = jvm.org.apache.spark.sql.catalyst.parser
    lexer = parser.SqlBaseLexer(parser.UpperCaseCharStream(jvm.org.antlr.v4.runtime.CharStreams.fromString(sql)))
    numbers = ("LITERAL", "INTEGER_VALUE", "EXPONENT_VALUE", "DECIMAL_VALUE")
    found = []
    for token in lexer.getAllTokens():
        if token.getChannel() == 0:
            name = lexer.getVocabulary().getSymbolicName(token.getType())
            text = sql[token.getStartIndex() : token.getStopIndex() + 1]
            found.append((text, name.endswith(numbers) and name != "STRING_LITERAL"))
    return found


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="019eEdDbBfLsYx_.+- ", min_size=1, max_size=12))
def test_names_and_numbers_end_where_they_end_for_spark(spark: SparkSession, text: str) -> None:
    ours = [(token.text, token.kind is Kind.NUMBER) for token in significant(text)]
    assert ours == spark_tokens(spark, text)


@given(text=st.text(alphabet="019eEdDbBfLsYxé٣²_.+- ", max_size=20))
def test_joined_tokens_give_the_text_again(text: str) -> None:
    assert "".join(token.text for token in tokenize(text)) == text
