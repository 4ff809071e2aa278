"""`read_kafka(…)`: a topic as a relation, by Spark's own Kafka source.

https://docs.databricks.com/aws/en/sql/language-manual/functions/read_kafka
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from databricks_local.errors import invalid, refused
from databricks_local.sql.reader import Reader

# Named in camel case on the page; every other option is one of Spark's Kafka source, written with back-quotes.
_NAMED = {
    "bootstrapservers": "kafka.bootstrap.servers",
    "subscribe": "subscribe",
    "subscribepattern": "subscribePattern",
    "assign": "assign",
    "startingoffsets": "startingOffsets",
    "endingoffsets": "endingOffsets",
    "startingtimestamp": "startingTimestamp",
    "endingtimestamp": "endingTimestamp",
    "maxoffsetspertrigger": "maxOffsetsPerTrigger",
    "minpartitions": "minPartitions",
    "failondataloss": "failOnDataLoss",
    "includeheaders": "includeHeaders",
    "groupidprefix": "groupIdPrefix",
}
_BATCH_ONLY = frozenset({"endingOffsets", "endingTimestamp"})


def read_kafka(spark: SparkSession, arguments: str, *, streaming: bool) -> tuple[DataFrame, str]:
    """The records of a topic, and what identifies the source.

    Args:
        spark: the session.
        arguments: the text between the brackets, `name => literal` by name.
        streaming: whether STREAM stands before the call.

    Raises:
        ProgrammingError: an unknown option, or no servers or topic.
        NotSupportedError: `secret(…)`, or an option that the documentation has only for batch.
    """
    options = _options(Reader(arguments))
    for required in ("kafka.bootstrap.servers",):
        if required not in options:
            raise invalid("READ_KAFKA_OPTION_MISSING", "read_kafka needs bootstrapServers => 'host:port'")
    topics = options.get("subscribe") or options.get("subscribePattern") or options.get("assign")
    if topics is None:
        raise invalid(
            "READ_KAFKA_OPTION_MISSING", "read_kafka needs subscribe => 'topic' (or subscribePattern, assign)"
        )
    if streaming and _BATCH_ONLY & set(options):
        raise refused("READ_KAFKA_OPTION_NOT_SUPPORTED", "endingOffsets and endingTimestamp are for batch reads")
    options.setdefault("includeHeaders", "true")
    reader = spark.readStream if streaming else spark.read
    return reader.format("kafka").options(**options).load(), f"topic {topics}"


def _options(reader: Reader) -> dict[str, str]:
    found: dict[str, str] = {}
    while not reader.at_end:
        parts = [reader.identifier()]
        while reader.accept_symbol("."):
            parts.append(reader.identifier())
        written = ".".join(parts)
        reader.expect_symbol("=>")
        if reader.at_words("SECRET"):
            raise refused("SECRET_NOT_SUPPORTED", f"read_kafka {written}: secret() has no store here; give a literal")
        name = _NAMED.get(written.lower(), written)
        if name == written and not written.startswith("kafka.") and written not in _NAMED.values():
            raise invalid(
                "READ_KAFKA_OPTION_UNKNOWN",
                f"read_kafka does not know the option {written}; known are bootstrapServers, subscribe, "
                "startingOffsets and `kafka.…`",
            )
        token = reader.peek()
        found[name] = reader.string() if token is not None and token.text[0] in "'\"" else reader.next().text
        if not reader.accept_symbol(","):
            break
    reader.expect_end()
    return found
