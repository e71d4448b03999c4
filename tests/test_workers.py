"""Work shared out over the cores: as if one had done it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest
from office import build_office
from test_publish import contents, run

from pipeline import summary, workers
from pipeline.errors import InputError, Told
from pipeline.workers import cores, shared_out

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="work is shared out on Linux alone")

SLEEPING = """
import os, sys, time
from pipeline.workers import shared_out
def sleep():
    os.write(1, f"{os.getpid()}\\n".encode())  # in one go: the other writes at the same time
    time.sleep(600)
list(shared_out([sleep, sleep]))
"""
SETTING = """
import os
from functools import partial
from pathlib import Path
from pipeline.catalogue.printed import _set
from pipeline.workers import apart, shared_out
template = Path(os.environ["TEMPLATE"])
first = apart(partial(_set, template, "1"))
rest = list(shared_out([partial(apart, partial(_set, template, "1"))] * 2))
print(rest == [first, first], first[:5])
"""


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAYECTO_CORES", "2")


def test_as_many_workers_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAYECTO_CORES")
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.usefixtures("two")
def test_results_come_in_order_and_from_other_processes() -> None:
    def slow(number: int) -> tuple[int, int]:
        time.sleep(0.05 if number == 0 else 0)
        return number, os.getpid()

    found = list(shared_out([partial(slow, number) for number in range(8)]))
    assert [number for number, _ in found] == list(range(8))
    assert os.getpid() not in {process for _, process in found}


@pytest.mark.usefixtures("two")
def test_a_task_may_share_out_too() -> None:
    def inner() -> list[int]:
        return list(shared_out([os.getpid, os.getpid]))

    for process, again in shared_out([inner, inner]):
        assert process == again != os.getpid()


@pytest.mark.usefixtures("two")
def test_what_a_task_raises_is_raised_in_every_language() -> None:
    def fail() -> None:
        raise InputError("{where}: there is no sheet {sheet}", where=Told("{file}", file="a{b}.xlsx"), sheet="Hoja")

    with pytest.raises(InputError) as caught:
        list(shared_out([fail, fail]))
    assert str(caught.value) == "a{b}.xlsx: there is no sheet Hoja"
    assert set(caught.value.text()) == {"en", "es", "pt"}


@pytest.mark.usefixtures("two")
def test_after_an_error_the_rest_is_left(tmp_path: Path) -> None:
    def fail() -> None:
        raise InputError("no")

    def late(number: int) -> None:
        time.sleep(0.05)
        (tmp_path / str(number)).touch()

    with pytest.raises(InputError):
        list(shared_out([fail, *(partial(late, number) for number in range(200))]))
    assert len(list(tmp_path.iterdir())) < 100


def test_workers_end_with_the_run_that_is_killed() -> None:
    environment = {**os.environ, "TRAYECTO_CORES": "2"}
    command = [sys.executable, "-c", SLEEPING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        try:
            workers = [int(parent.stdout.readline()) for _ in range(2)]
        finally:
            parent.send_signal(signal.SIGKILL)
    assert len(set(workers)) == 2
    for _ in range(100):
        if not any(_is_alive(each) for each in workers):
            return
        time.sleep(0.05)
    raise AssertionError("workers outlive their run")


def _is_alive(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


@pytest.mark.usefixtures("two")
def test_what_keeps_threads_does_not_stop_the_workers_that_come_after_it(tmp_path: Path) -> None:
    """Typst waits for threads of its own: a fork of a process that has used it would wait for ever."""
    template = tmp_path / "many.typ"
    template.write_text(
        '#set document(title: "x", date: none)\n#for i in range(60) [= #i \n #lorem(200) #pagebreak()]\n'
    )
    command = [sys.executable, "-c", SETTING]
    made = subprocess.run(
        command, check=False, env={**os.environ, "TEMPLATE": str(template)}, capture_output=True, timeout=60
    )
    assert made.stdout == b"True b'%PDF-'\n", made.stderr


@pytest.fixture
def offices(tmp_path: Path) -> tuple[Path, Path]:
    return build_office(tmp_path / "one"), build_office(tmp_path / "two")


@pytest.mark.thorough
def test_two_cores_give_the_bytes_of_one(offices: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = offices
    run(alone)
    monkeypatch.setenv("TRAYECTO_CORES", "2")
    run(together)
    assert contents(together / "build/public") == contents(alone / "build/public")
    reports = [contents(each / "build/reports") for each in offices]
    assert [each.pop(summary.LOG) for each in reports]  # lines of workers come as they come
    assert reports[0] == reports[1]


class Broken(BaseException):
    """What a library of another language raises when it breaks down."""


def _break() -> None:
    raise Broken


def _spin() -> None:
    while True:
        pass


def _refuse() -> None:
    raise ValueError


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is tried where a process cannot be forked safely")
@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (lambda: None, True),
        (_refuse, True),
        (_break, False),
        (os.abort, False),
        (lambda: bytearray(2**31), False),
        (_spin, False),
        (lambda: time.sleep(60), False),
    ],
)
def test_what_takes_too_much_or_breaks_down_does_so_aside(task: Callable[[], object], *, expected: bool) -> None:
    assert workers.survives(task, memory=2**29, seconds=1) is expected


@pytest.mark.usefixtures("two")
def test_work_goes_on_beside() -> None:
    """The first part is done whether or not anybody asks; the second with what is given then, for which nobody waits."""
    here, long = os.getpid(), "given" * 10**6
    begun = time.monotonic()
    result = workers.beside(lambda: time.sleep(2) or os.getpid(), lambda there, given: (there, given))(long)
    assert time.monotonic() - begun < 1
    there, given = result()
    assert there != here
    assert given == long


@pytest.mark.usefixtures("two")
def test_what_works_beside_ends_when_it_is_done() -> None:
    workers.beside(os.getpid, lambda there, _: there)("given")
    deadline = time.monotonic() + 20
    while multiprocessing.active_children():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.usefixtures("two")
def test_what_goes_wrong_beside_is_raised_where_it_is_asked_for() -> None:
    result = workers.beside(dict, lambda found, key: found[key])("nothing")
    with pytest.raises(KeyError, match="nothing"):
        result()
    with pytest.raises(AttributeError, match="pickle"):
        workers.beside(dict, lambda found, _: found)(lambda: "cannot be sent")()
    early = workers.beside(lambda: {}["at once"], lambda _, given: given)
    time.sleep(0.2)  # it has ended before it is asked
    result = early("x" * 10**6)
    with pytest.raises(KeyError, match="at once"):
        result()


@pytest.mark.usefixtures("two")
def test_a_process_beside_that_is_killed_is_told() -> None:
    result = workers.beside(lambda: os.kill(os.getpid(), signal.SIGKILL), lambda _, given: given)(1)
    with pytest.raises(BrokenProcessPool):
        result()


def test_with_one_core_nothing_is_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAYECTO_CORES", "1")
    assert workers.beside(os.getpid, lambda there, _: there)(None)() == os.getpid()
