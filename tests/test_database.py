"""Tables from a database: SQLite, and a real PostgreSQL where its server is installed."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
import sqlalchemy

from pipeline import library as authored
from pipeline.errors import InputError, SetupError
from pipeline.methods.border import Asked, border
from pipeline.model import Layout
from pipeline.read import read
from pipeline.run import receive

WORD = "s3cr:t/@ of the test"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server of our own on the loopback, with `${PG_PASSWORD}` for its password."""
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))  # which are not on the path
    initdb = next((each for each in (*reversed(debian), shutil.which("initdb")) if each), None)
    if initdb is None:
        pytest.skip("no PostgreSQL server is installed here")
    folder = Path("/tmp") / f"trayecto-postgres-{os.getpid()}"  # noqa: S108  a socket's path must be short
    folder.mkdir()
    # The server refuses to be the administrator: it runs as the user that its Debian package makes.
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if other:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "word").write_text(WORD)
    data = str(folder / "data")
    made = [*other, initdb, "-D", data, "-U", "office", "-A", "scram-sha-256", "--pwfile", str(folder / "word")]
    subprocess.run([*made, "-E", "UTF8", "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/")
    server = [*other, str(Path(initdb).with_name("postgres")), "-D", data, "-p", str(port), "-k", str(folder)]
    process = subprocess.Popen([*server, "-h", "127.0.0.1", "-F"], stderr=subprocess.DEVNULL, cwd="/")
    os.environ["PG_PASSWORD"] = quote(WORD, safe="")
    address = f"postgresql+psycopg://office:${{PG_PASSWORD}}@127.0.0.1:{port}/postgres"
    for _ in range(100):
        try:
            engine(address, folder).connect().close()
            break
        except sqlalchemy.exc.OperationalError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(timeout=20)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, office: Path) -> str:
    """The address of a database for the office XX, of either kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    (office / "data/XX/registro.db").touch()
    return "sqlite:///registro.db"


def engine(address: str, folder: Path) -> sqlalchemy.Engine:
    address = address.replace("${PG_PASSWORD}", os.environ.get("PG_PASSWORD", ""))
    return sqlalchemy.create_engine(
        address.replace("sqlite:///", f"sqlite:///{folder}/"), poolclass=sqlalchemy.NullPool
    )


def execute(on: sqlalchemy.Engine, *statements: str) -> None:
    with on.begin() as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))


def layout(address: str, file: str = "tabla.sql") -> Layout:
    return Layout(file, "INF", "CC-BY-4.0", ("n",), database=address)


def test_the_same_figures_as_from_the_file(office: Path, database: str) -> None:
    folder = office / "data/XX"
    series = authored.load(office).countries["XX"].series["DF_BORDER"]
    from_file = receive(office, series, authored.load(office))
    with (folder / "entradas.csv").open(encoding="latin-1", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    table = pd.DataFrame(rows)
    table["Entradas"] = pd.to_numeric(table["Entradas"].str.replace(".", "")).astype("Int64")
    table.to_sql("entradas", engine(database, folder), index_label="orden", if_exists="replace")
    (folder / "entradas.sql").write_text(
        'SELECT "Año", "Mes", "Nacionalidad", "Sexo", "Entradas" FROM entradas ORDER BY orden\n', encoding="utf-8"
    )
    path = office / "metadata/national/XX/DF_BORDER.toml"
    text = path.read_text(encoding="utf-8").replace(
        'file = "entradas.csv"', f"file = \"entradas.sql\"\ndatabase = '{database}'"
    )
    path.write_text(text.replace('encoding = "latin-1"\n', "").replace('delimiter = ";"\n', ""), encoding="utf-8")
    loaded = authored.load(office)
    from_database = receive(office, loaded.countries["XX"].series["DF_BORDER"], loaded)
    assert len(from_database.frame) > 3
    pd.testing.assert_frame_equal(from_database.frame, from_file.frame)
    assert from_database.ledger == from_file.ledger
    assert from_database.origins[0].file == "XX/entradas.sql"


def test_every_type_becomes_text(office: Path, database: str) -> None:
    folder = office / "data/XX"
    execute(
        engine(database, folder),
        "DROP TABLE IF EXISTS tipos",
        "CREATE TABLE tipos (a text, n numeric(12, 2), r float, d date, v integer)",
        "INSERT INTO tipos VALUES ('NO', 12.00, 0.5, '2024-06-30', NULL)",
        "INSERT INTO tipos VALUES ('004', 1.25, 3, '2024-07-01', 7)",
    )
    (folder / "tabla.sql").write_text(
        "-- '12:30' y 50% no son parámetros\nSELECT a, n, r, d, v, '12:30 50%' AS t FROM tipos ORDER BY a DESC",
        encoding="utf-8",
    )
    raw = read(folder, layout(database))
    assert raw.cells.to_numpy().tolist() == [
        ["a", "n", "r", "d", "v", "t"],
        ["NO", "12", "0.5", "2024-06-30", "", "12:30 50%"],
        ["004", "1.25", "3", "2024-07-01", "7", "12:30 50%"],
    ]
    assert raw.is_number is not None
    assert raw.is_number.loc[3].tolist() == [False, True, True, False, True, False]
    before = raw.sha256
    execute(
        engine(database, folder),
        "UPDATE tipos SET v = 8 WHERE a = '004'",
    )
    assert read(folder, layout(database)).sha256 != before, "the query is the same, its result is not"


def test_nothing_is_written(office: Path, database: str) -> None:
    folder = office / "data/XX"
    execute(
        engine(database, folder),
        "DROP TABLE IF EXISTS guardado",
        "CREATE TABLE guardado (n integer)",
        "INSERT INTO guardado VALUES (1)",
    )
    for query in ("INSERT INTO guardado VALUES (2) RETURNING n", "DROP TABLE guardado", "UPDATE guardado SET n = 3"):
        (folder / "tabla.sql").write_text(query)
        with pytest.raises(InputError, match=r"XX/tabla\.sql"):
            read(folder, layout(database))
    with engine(database, folder).connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT n FROM guardado")).all() == [(1,)]


def test_a_query_that_fails_says_where(office: Path, database: str) -> None:
    folder = office / "data/XX"
    (folder / "tabla.sql").write_text("SELECT n FROM no_hay")
    with pytest.raises(InputError, match=r"XX/tabla\.sql: .* refused the query \(.*no_hay"):
        read(folder, layout(database))


def test_no_secret_is_told(office: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = office / "data/XX"
    (folder / "tabla.sql").write_text("SELECT 1 AS n")
    monkeypatch.setenv("PG_PASSWORD", "not-the-word")
    with pytest.raises(InputError, match="refused") as told:
        read(folder, layout(postgres))
    assert "not-the-word" not in str(told.value)
    monkeypatch.delenv("PG_PASSWORD")
    with pytest.raises(InputError, match="variable PG_PASSWORD of its `database` is not set"):
        read(folder, layout(postgres))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("sqlite:///no.db", r"there is no file XX/no\.db"),
        ("nada", "not the address of a database"),
        ("nosql://office@127.0.0.1/x", "no driver for"),
        ("postgresql+psycopg://office@127.0.0.1:1/x", "refused the query"),
    ],
)
def test_an_address_that_cannot_serve(office: Path, address: str, told: str) -> None:
    (office / "data/XX/tabla.sql").write_text("SELECT 1 AS n")
    with pytest.raises(InputError, match=told):
        read(office / "data/XX", layout(address))


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('"entradas.csv"', '"entradas.sql"', "go together"),
        ('"entradas.csv"', '"entradas.csv"\ndatabase = "sqlite:///a.db"', "go together"),
        (
            '"entradas.csv"',
            '"entradas.sql"\ndatabase = "postgresql://me:word@host/a"',
            "no password may stand in `database`",
        ),
    ],
)
def test_a_layout_that_cannot_be_meant(office: Path, was: str, now: str, told: str) -> None:
    path = office / "metadata/national/XX/DF_BORDER.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(was, now), encoding="utf-8")
    with pytest.raises(SetupError, match=told):
        authored.load(office)


CROSSINGS = (
    ("a", 1, "2020-01-01 08:00:00", 1, "PE", "F", "1990-03-01", "WORK"),
    ("a", 2, "2021-09-01 09:30:00", 0, "PE", "F", "1990-03-01", "WORK"),
    ("b", 3, "2021-02-01 00:00:00", 1, "CO", "M", None, "TOURISM"),
    ("c", 4, "2021-02-01 00:00:01", 7, "CO", "M", "1985-12-31", "TOURISM"),
)
HEAD = "person_id, crossing_id, ts, is_arrival, citizenship, sex, birth_date, purpose"


def test_crossings_of_a_register_are_those_of_its_file(office: Path, database: str) -> None:
    folder = office / "data/XX"
    execute(
        engine(database, folder),
        "DROP TABLE IF EXISTS cruces",
        "CREATE TABLE cruces (person_id text, crossing_id bigint, ts timestamp, is_arrival smallint,"
        " citizenship text, sex text, birth_date date, purpose text)",
        *(
            f"INSERT INTO cruces VALUES ({', '.join('NULL' if v is None else repr(v) for v in row)})"  # noqa: S608
            for row in CROSSINGS
        ),
    )
    with (folder / "cruces.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD.split(", "), *CROSSINGS])
    (folder / "cruces.sql").write_text(f"SELECT {HEAD} FROM cruces")  # noqa: S608
    from_file = border(Asked(folder / "cruces.csv", folder / "file", "2022-12-31"))
    from_database = border(Asked(folder / "cruces.sql", folder / "database", "2022-12-31", database=database))
    assert {issue.code: issue.count for issue in from_database.issues} == {"BRD-03": 1, "BRD-11": 486}
    assert {issue.code: issue.count for issue in from_file.issues} == {"BRD-03": 1, "BRD-11": 486}
    assert from_database.files == tuple(folder / "database" / path.name for path in from_file.files)
    for path in from_file.files:
        assert (folder / "database" / path.name).read_bytes() == path.read_bytes()


def test_a_query_and_a_database_go_together(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("SELECT 1")
    with pytest.raises(SetupError, match="goes with --database"):
        border(Asked(tmp_path / "q.sql", tmp_path / "out", "2022-12-31"))
    with pytest.raises(SetupError, match="goes with --database"):
        border(Asked(tmp_path / "q.csv", tmp_path / "out", "2022-12-31", database="sqlite:///x.db"))
    with pytest.raises(SetupError, match=r"No password .* \$\{NAME\}"):
        border(Asked(tmp_path / "q.sql", tmp_path / "out", "2022-12-31", database="postgresql://a:b@c/d"))
