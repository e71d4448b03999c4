"""The distributed engine: Spark partitions, sorts and adds up, with the expressions and the rule of the embedded one.

Persons go to partitions by their key, so each is whole in one of them. Where Spark runs is its own configuration
(`spark-submit`, `SPARK_REMOTE`, spark-defaults); without any it is this machine. Workers need the packages of this one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipeline.errors import SetupError
from pipeline.methods.border.embedded import Sink, empty_sums, whole_persons
from pipeline.methods.border.persons import MOST_CROSSINGS, part
from pipeline.methods.border.received import Delivery
from pipeline.methods.border.records import ATTRIBUTES, IN_RULE, standard
from pipeline.methods.border.rule import Rule
from pipeline.methods.border.sensitivity import compared, variants
from pipeline.methods.border.tables import queries

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TOLD = ", ".join(
    (
        "person_id STRING, seq INT, crossing_id BIGINT, day INT, is_arrival BOOLEAN, is_imputed BOOLEAN",
        "obs_days INT, side_days INT, outcome TINYINT, status_before TINYINT, status_after TINYINT, migrant TINYINT",
        "category TINYINT, until INT, month INT, until_month INT, decided_on INT, is_mended BOOLEAN, birth INT",
        *(f"{name} STRING" for name in ATTRIBUTES),
        "reason TINYINT",
    )
)
_COMPARED = "method STRING, imputed_at STRING, year BIGINT, is_arrival BOOLEAN, migrants BIGINT, pending BIGINT"
_ROWS_AT_ONCE = 1_000_000
_ROOT = Path(__file__).parents[3]


def counted(
    delivery: Delivery,
    rule: Rule,
    *,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    memory: str,
    person_key: str,
    sink: Sink,
    most_crossings: int = MOST_CROSSINGS,
    compare: bool = False,
) -> Mapping[str, pa.Table]:
    """What `embedded.counted` does, by Spark.

    Raises:
        SetupError: PySpark is not installed.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise SetupError('--engine spark needs PySpark and Java 17: pip install "pyspark>=4", or leave the option out.')
    folder = folder / "spark"
    folder.mkdir()
    spark = _session(folder, memory)
    try:
        _views(spark, connection, delivery)
        records = _sorted(spark, delivery, person_key)
        _decided(records, rule, most_crossings).write.parquet(str(folder / "told"))
        spark.read.parquet(str(folder / "told")).createOrReplaceTempView("told")
        spark.createDataFrame([(year,) for year in delivery.years], "ref INT").createOrReplaceTempView("years")
        sums = empty_sums(connection, rule)
        for name, query in queries(rule).items():
            sums[name].add(spark.sql(query.text).toArrow())
        if compare:
            sums["sensitivity"].add(_others(records, rule, most_crossings).toArrow())
    finally:
        spark.stop()
    told = connection.execute(
        f"SELECT * FROM read_parquet('{folder}/told/*.parquet') WHERE reason = {IN_RULE} ORDER BY person_id, seq"
    )
    for batch in told.to_arrow_reader(_ROWS_AT_ONCE):
        sink(pa.Table.from_batches([batch]))
    shutil.rmtree(folder)
    return {name: each.table() for name, each in sums.items()}


def _session(folder: Path, memory: str) -> SparkSession:
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    archive = shutil.make_archive(str(folder / "pipeline"), "zip", _ROOT, "pipeline")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(_ROWS_AT_ONCE),
        "spark.driver.memory": memory.lower().removesuffix("b"),
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        "spark.local.dir": str(folder),
    }
    builder: Any = SparkSession.builder.appName("border")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.addPyFile(archive)
    return session


def _views(spark: SparkSession, connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """The delivery and what stands beside it, as Spark reads them."""
    file = delivery.file
    if file.suffix.lower() == ".parquet":
        frame = spark.read.parquet(str(file))
    elif file.suffix.lower() in (".duckdb", ".db"):
        raise SetupError("--engine spark reads Parquet or CSV. Export the table `crossings` as Parquet.")
    else:
        frame = spark.read.csv(str(file), header=True, escape='"', enforceSchema=False)
    frame.createOrReplaceTempView("crossings")
    reading = delivery.reading
    for name, is_there in (
        ("initial", reading.has_initial),
        ("deaths", reading.has_deaths),
        ("links", reading.has_links),
    ):
        if is_there:
            spark.createDataFrame(connection.table(name).to_arrow_table()).createOrReplaceTempView(name)


def _sorted(spark: SparkSession, delivery: Delivery, person_key: str) -> DataFrame:
    """Standard records, each person's in one partition, by moment and crossing."""
    from pyspark.sql.functions import col

    order = [col(name).asc_nulls_last() for name in ("person_id", "ts", "crossing_id")]
    frame = spark.sql(standard(delivery.reading, person_key=person_key))
    return frame.repartition("person_id").sortWithinPartitions(*order).drop("ts")


def _decided(records: DataFrame, rule: Rule, most_crossings: int) -> DataFrame:
    def decide(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for each in whole_persons(batches):
            yield from part(each, rule, most_crossings=most_crossings).told.to_batches()

    return records.mapInArrow(decide, _TOLD)


def _others(records: DataFrame, rule: Rule, most_crossings: int) -> DataFrame:
    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for each in whole_persons(batches):
            crossings = part(each, rule, most_crossings=most_crossings).crossings
            yield from compared(crossings, variants(rule)).to_batches()

    return records.mapInArrow(count, _COMPARED)
