"""Work shared out over the cores of the machine: the same results in the same order as from one.

Workers are forks of this process, so that they have what it has in memory and nothing is sent to them but the number of
a task. Where a process cannot be forked safely (anything but Linux) the work is done here, one task after another.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar, cast

from tqdm import tqdm

Result = TypeVar("Result")
First = TypeVar("First")
Given = TypeVar("Given")

_CORES = "TRAYECTO_CORES"  # for who shares the machine with others
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)

_tasks: list[Callable[[], Any]] = []  # of the work that is being begun, and in a worker of its own
_is_worker = False


def shared_out(tasks: Sequence[Callable[[], Result]], said: str = "") -> Iterator[Result]:
    """Yield the result of each task, in order. What a task changes in memory is lost, unlike what it writes to disk.

    What one raises is raised here, and the tasks that have not begun are left. A terminal is shown how far it is,
    after the words `said`.
    """
    yield from tqdm(_results(tasks), said, total=len(tasks), disable=None if tasks and said else True, leave=False)


def _results(tasks: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    workers = min(cores(), len(tasks))
    if workers < 2 or _is_worker:  # a task has no workers of its own
        yield from (task() for task in tasks)
        return
    with _pool(workers) as pool:
        found = _begun(pool, tasks)
        try:
            yield from found
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def apart(task: Callable[[], Result]) -> Result:
    """The result of a task in a process of its own, or here in a worker, which is one.

    For libraries that keep threads of their own: a fork of a process that used them would wait for threads that it
    does not have.
    """
    if _is_worker or sys.platform != "linux":
        return task()
    with _pool(1) as pool:
        return next(_begun(pool, [task]))


def beside(
    first: Callable[[], First], then: Callable[[First, Given], Result]
) -> Callable[[Given], Callable[[], Result]]:
    """Begin `first` in a fork while this process goes on.

    Returns:
        What gives `then` the result of `first` and what it is called with, and returns at once what waits for what
        that makes: the fork ends, and lets go of its memory, when it has made it. Only the latter two are sent. With
        one core, or in a worker, all of it is done when somebody waits.
    """
    if cores() < 2 or _is_worker:
        return lambda given: lambda: then(first(), given)
    ours, theirs = multiprocessing.Pipe()
    with _forking():
        # A daemon: when this process ends without having asked for the result, it does not wait for it.
        child = multiprocessing.get_context("fork").Process(target=_answer, args=(theirs, first, then), daemon=True)
        child.start()
    theirs.close()

    told: list[tuple[bool, Any]] = []

    def exchange(given: Given) -> None:
        try:
            with suppress(OSError):  # it has ended already, and has said why or not
                ours.send(given)
            told.append(ours.recv())
        except (EOFError, OSError):
            told.append((False, BrokenProcessPool("a process was ended from outside")))
        except Exception as error:  # noqa: BLE001  it is raised where the result is asked for
            told.append((False, error))
            child.terminate()  # which may be waiting still
        finally:
            child.join()

    def give(given: Given) -> Callable[[], Result]:
        # A thread, for what is given may be longer than a pipe holds; a daemon, as the fork is.
        waiting = threading.Thread(target=exchange, args=(given,), daemon=True)
        waiting.start()

        def result() -> Result:
            waiting.join()
            is_made, found = told[0]
            if not is_made:
                raise found
            return cast("Result", found)

        return result

    return give


def _answer(pipe: Connection, first: Callable[[], First], then: Callable[[First, Given], Result]) -> None:
    _become_worker()
    try:
        made = first()
        pipe.send((True, then(made, pipe.recv())))
    except EOFError:  # nobody asks any more
        return
    except Exception as error:  # noqa: BLE001  it is raised where the result is asked for
        pipe.send((False, error))


def survives(task: Callable[[], object], *, memory: int, seconds: int) -> bool:
    """Whether a task comes to an end within so many bytes more than there are now and so many seconds of a processor.

    It is tried in a fork, for libraries that a hostile file can make take all memory or break down. What it raises in
    the ordinary way is an end too. Where a process cannot be forked safely nothing is tried.
    """
    if sys.platform != "linux":
        return True
    import resource

    child = os.fork()
    if child == 0:
        try:
            now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(2 * seconds)  # one that waits for ever takes no time of a processor
            faulthandler.disable()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a library says when it breaks down
            task()
        except MemoryError:
            os._exit(1)
        except Exception:  # noqa: BLE001  the same will be raised and told when it is done in earnest
            os._exit(0)
        except BaseException:  # noqa: BLE001  a library of another language broke down
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@contextmanager
def standby(work: Callable[..., Result]) -> Iterator[Callable[[Sequence[tuple[Any, ...]]], list[Result]]]:
    """Workers that stay until they are let go: what is given calls `work`, a function of a module, for some arguments.

    They begin with the first call and have what this process had then; arguments and results are sent.
    """
    if cores() < 2 or _is_worker:
        yield lambda every: [work(*each) for each in every]
        return
    with _pool(cores()) as pool:
        yield lambda every: list(_mapped(pool, work, *zip(*every, strict=True)))


def cores() -> int:
    """How many workers there may be."""
    if sys.platform != "linux":
        return 1
    return int(os.environ.get(_CORES, "") or len(os.sched_getaffinity(0)))


def _pool(workers: int) -> ProcessPoolExecutor:
    """Forks of this process, made as the first work comes."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), initializer=_become_worker)


def _begun(pool: ProcessPoolExecutor, tasks: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    _tasks[:] = tasks  # the forks find them here
    try:
        return _mapped(pool, _do, range(len(tasks)))
    finally:
        _tasks.clear()


def _mapped(pool: ProcessPoolExecutor, work: Callable[..., Result], *every: Iterable[Any]) -> Iterator[Result]:
    with _forking():
        return pool.map(work, *every)


@contextmanager
def _forking() -> Iterator[None]:
    """The threads that libraries keep in this process are not in the forks, which do not use them: no word of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


def _do(number: int) -> Any:
    return _tasks[number]()


def _become_worker() -> None:
    """A worker knows that it is one, and a run that is killed leaves none behind."""
    global _is_worker  # noqa: PLW0603 (of this process, from its start on)
    _is_worker = True
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
