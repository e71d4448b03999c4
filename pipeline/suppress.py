"""Which further cells of a system of sums are withheld so that no confidential one can be told.

A confidential cell is safe when the sums allow it another value that is far enough from its own while
every published cell keeps its value (the feasibility interval of cell suppression: Fischetti and
Salazar, Management Science 47, 2001). Cells are chosen by linear programs that find, for a few
confidential cells at a time, the cheapest such other values: what moves is withheld. Each program sees
the neighbourhood of its cells alone, small cells first, and reaches further only where that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csc_array, csr_array, hstack

from pipeline.workers import standby

Mask = npt.NDArray[np.bool_]
Vector = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]
_Program = tuple[csc_array, Vector, Vector, Vector]  # matrix, costs, lower and upper bounds

_ZERO = 30.0  # what withholding a zero costs, which is often known to be one: more than any other figure
_FAR = 1e7  # further than any cell need move
_REWARD = 1e5  # for a confidential cell that moves as far as it must, against the cost of what moves with it
_EPSILON = 1e-6
_SHARED = 500  # cells of a program from which on two of them are solved side by side
_LARGE = 5000  # cells of a program from which on it is worth the time to make it smaller before it is solved


@dataclass(frozen=True)
class System:
    """Cells and the sums between them: `sums @ values` is zero.

    `values` is NaN where the producer withheld the figure itself. `low` is the least that anyone
    would believe of each cell. `confidential` cells must keep an interval of `need`; `open_cells` are
    those that it helps to withhold beside them, at a cost of `weights` each: others, and zeros, come last.
    `singles` are cells of one contributor, who knows their value. Those that `rises` marks must be able to be larger:
    a smaller other value would not hide them.
    """

    sums: csr_array
    values: Vector
    low: Vector
    confidential: Mask
    open_cells: Mask
    weights: Vector
    need: Vector
    singles: Mask
    rises: Mask | None = None


@dataclass(frozen=True)
class Reach:
    """How far a program sees: `targets` at a time, `steps` from sum to sum, up to `cells` of at most `value`."""

    targets: int
    steps: int
    cells: float
    value: float
    loses_first: bool = False


# Measured on tables of 1 to 30 thousand cells (bench/protection.py): what confidential cells hide of each other costs
# nothing and many are tried at once; then, with small cells first, less is withheld; and programs that see the whole
# table are slow.
REACHES = (
    Reach(500, 99, np.inf, 0.0),
    Reach(16, 5, 8_000, 30.0),
    Reach(16, 5, 8_000, 200.0),
    Reach(16, 5, 8_000, 1_000.0),
    Reach(8, 5, 8_000, np.inf),
    Reach(1, 6, 8_000, np.inf),
    Reach(1, 99, np.inf, np.inf),
    Reach(1, 99, np.inf, np.inf, loses_first=True),
)


@dataclass(frozen=True)
class _Solution:
    """Other values for `cells` that prove `targets` safe; the rest stands."""

    cells: Cells
    targets: Cells


@dataclass
class _State:
    system: System
    by_cell: csr_array
    by_column: csc_array
    withheld: Mask
    safe: Mask
    shared: Callable[[Sequence[_Program]], Sequence[Vector]]  # the solutions of some programs, side by side
    solutions: list[_Solution] = field(default_factory=list)


def costs(values: Vector) -> Vector:
    """What withholding each figure costs: more for a larger one, most for a zero; nothing where it is withheld."""
    size = np.abs(np.nan_to_num(values))
    found: Vector = np.where(values == 0, _ZERO, np.log1p(size))
    return found


def suppress(system: System, *, reaches: Sequence[Reach] = REACHES) -> Mask:
    """The cells to withhold beside the confidential ones.

    Args:
        system: the cells, n of them, and m sums.
        reaches: what the programs see, one round each; the last two are repeated with every cell, zeros too.

    Returns:
        Mask of n. A confidential cell that nothing can protect (all cells of its sums are fixed) has
        none for it: whoever publishes must audit the result.
    """
    with standby(_minimum) as shared:
        state = _State(
            system,
            csr_array(system.sums.T),
            csc_array(system.sums),
            system.confidential | np.isnan(system.values),
            np.zeros(len(system.values), dtype=bool),
            shared,
        )
        state.safe |= (np.diff(state.by_cell.indptr) == 0) | (system.need == 0)
        for number, reach in enumerate((*reaches, *reaches[-2:])):
            _round(state, reach, with_all=number >= len(reaches))
        _thin(state)
        _hide_from_singles(state, reaches)
    return state.withheld & ~system.confidential & ~np.isnan(system.values)


def _round(state: _State, reach: Reach, *, with_all: bool) -> None:
    """Protect what is not safe yet, as far as this reach can."""
    system = state.system
    unsafe = system.confidential & ~state.safe
    if not unsafe.any():
        return
    zero = system.values == 0
    allowed = state.withheld | with_all | (system.open_cells & (system.values <= reach.value) & ~zero)
    allowed = _movable(system.sums, allowed)
    left = np.flatnonzero(unsafe & allowed)
    while len(left):
        groups = _apart(left, reach.targets)
        _solve(state, groups, reach, allowed)
        left = np.setdiff1d(left, np.concatenate(groups), assume_unique=True)
        left = left[~state.safe[left]]


def _apart(cells: Cells, count: int) -> list[Cells]:
    """The first so many of the cells, and as many from the middle of those that are left: programs that see the same
    part of the table would both withhold what one of them could.
    """
    middle = max(count, len(cells) // 2)
    return [cells[:count], cells[middle : middle + count]] if len(cells) > count else [cells]


def _movable(sums: csr_array, allowed: Mask) -> Mask:
    """The allowed cells that have another one to move with in every sum that they stand in."""
    pattern, allowed = abs(sums), allowed.copy()
    while True:
        alone = pattern @ allowed.astype(float) == 1
        still = (pattern.T @ alone.astype(float) > 0) & allowed
        if not still.any():
            return allowed
        allowed[still] = False


def _solve(state: _State, groups: Sequence[Cells], reach: Reach, allowed: Mask, *, frozen: bool = False) -> None:
    """Find other values for each group of targets and withhold what moves; no group sees what another one withholds.
    With some cells `frozen` they prove nothing safe that was not so before.
    """
    cells = [_around(state, targets, reach, allowed) for targets in groups]
    programs = [_program(state, c, t, first=int(reach.loses_first)) for c, t in zip(cells, groups, strict=True)]
    # Processes, and always as many groups: HiGHS in two threads finds now this, now that of equal moves.
    is_large = max(len(each) for each in cells) > _SHARED
    found = state.shared(programs) if is_large else [_minimum(*each) for each in programs]
    for targets, seen, move in zip(groups, cells, found, strict=True):
        _take(state, targets, seen, move[: len(seen)] - move[len(seen) :], frozen=frozen)


def _take(state: _State, targets: Cells, cells: Cells, moved: Vector, *, frozen: bool) -> None:
    """Withhold what moves, where that protects a target."""
    system = state.system
    used = np.abs(moved) > _EPSILON
    enough = np.zeros(len(system.values), dtype=bool)
    counted = np.abs(moved) if system.rises is None else np.where(system.rises[cells], moved, np.abs(moved))
    enough[cells] = counted >= system.need[cells] - _EPSILON
    if not enough[targets].any():
        return
    state.withheld[cells[used]] = True
    if not frozen:
        state.safe |= enough & system.confidential
        state.solutions.append(_Solution(cells[used], np.flatnonzero(enough & system.confidential)))


def _around(state: _State, targets: Cells, reach: Reach, allowed: Mask) -> Cells:
    """The allowed cells that share a sum with the targets, with those, and so on; in order.

    Of the last ones that find room, those come first that share the most sums, for they close circles, then the cheap.
    """
    system = state.system
    seen = np.zeros(len(allowed), dtype=bool)
    seen[targets] = True
    front = targets
    for _ in range(reach.steps):
        lines = np.unique(_entries(state.by_cell, front))
        cells, shared = np.unique(_entries(system.sums, lines), return_counts=True)
        new = allowed[cells] & ~seen[cells]
        front, room = cells[new], reach.cells - seen.sum()
        if len(front) > room:
            front = front[np.lexsort((system.weights[front], -shared[new]))[: max(int(room), 0)]]
        if not len(front):
            break
        seen[front] = True
    return np.flatnonzero(seen)


def _entries(matrix: csr_array, rows: Cells) -> Cells:
    """The columns of several rows, one after another."""
    start, count = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    columns: Cells = matrix.indices[np.repeat(start, count) + offset].astype(np.int64)
    return columns


def _program(state: _State, cells: Cells, targets: Cells, *, first: int) -> _Program:
    """Which of the other values of `cells` that move the targets far enough are the cheapest.

    A column for what a cell gains and one for what it loses. A target gains (or loses, where what it
    may lose is enough) for a reward up to its need, and beyond it for nothing.
    """
    system, n = state.system, len(cells)
    value, place = np.nan_to_num(system.values[cells], nan=1.0), np.searchsorted(cells, targets)
    can_lose = np.where(np.isnan(system.values[cells]), _FAR, np.maximum(value - system.low[cells], 0))
    cost = np.where(state.withheld[cells], 0.0, system.weights[cells])
    need = system.need[targets]
    # Every second one that can loses: what the ones gain the others lose, and few cells beside them move.
    # Zeros can only gain: then all others lose, or the total of the line would have to move with them.
    turn = np.arange(first, first + len(place)) % 2 == 1
    loses = (can_lose[place] >= need) & (turn | (system.values[targets] == 0).any())
    loses &= True if system.rises is None else ~system.rises[targets]
    lower, upper = np.zeros(2 * n), np.concatenate([np.full(n, _FAR), np.minimum(can_lose, _FAR)])
    costs = np.concatenate([cost, cost])
    chosen, other = np.where(loses, place + n, place), np.where(loses, place, place + n)
    costs[chosen], upper[chosen] = -_REWARD, need
    costs[other], upper[other] = 0.0, 0.0
    lower[other] = np.where(loses, need - can_lose[place], -_FAR)
    block = state.by_column[:, cells].tocsr()
    block = block[np.diff(block.indptr) > 0]
    return hstack([block, -block]).tocsc(), costs, lower, upper


def _minimum(matrix: csc_array, costs: Vector, lower: Vector, upper: Vector) -> Vector:
    """The x between its bounds with matrix @ x = 0 that costs least; 0 for all when the solver gives up."""
    found = linprog(
        costs,
        A_eq=matrix,
        b_eq=np.zeros(matrix.shape[0]),
        bounds=np.column_stack([lower, upper]),
        method="highs-ds",
        options={"presolve": len(costs) > 2 * _LARGE},
    )
    return np.zeros(len(costs)) if found.x is None else np.asarray(found.x, dtype=np.float64)


def _thin(state: _State) -> None:
    """Publish again what only superfluous solutions withheld, the dearest first.

    A solution is superfluous when every cell that it proves safe is proved by another that stays.
    """
    system = state.system
    proofs = np.zeros(len(system.values), dtype=np.int64)
    uses = np.zeros(len(system.values), dtype=np.int64)
    for solution in state.solutions:
        proofs[solution.targets] += 1
        uses[solution.cells] += 1
    given = system.confidential | np.isnan(system.values)
    kept = []
    for solution in sorted(state.solutions, key=lambda each: -system.weights[each.cells[~given[each.cells]]].sum()):
        if (proofs[solution.targets] > 1).all():
            proofs[solution.targets] -= 1
            uses[solution.cells] -= 1
        else:
            kept.append(solution)
    state.solutions = kept
    state.withheld = given | (uses > 0)


def _hide_from_singles(state: _State, reaches: Sequence[Reach]) -> None:
    """Where a contributor who knows one of two withheld cells of a sum could tell the other, withhold more."""
    system = state.system
    of_one_person = _of_one_person(system)
    for number, reach in enumerate((*reaches, *reaches[-2:])):
        zero = (system.values == 0) & (number < len(reaches))
        left = _told_to_singles(state, of_one_person)
        while left:
            few, left = _together(left, reach.targets)
            told = set(_told_to_singles(state, of_one_person))
            few = [pair for pair in few if pair in told]
            if few:
                singles, targets = (np.unique(np.array(side, dtype=np.int64)) for side in zip(*few, strict=True))
                allowed = state.withheld | (system.open_cells & (system.values <= reach.value) & ~zero)
                allowed[singles] = False
                _solve(state, [targets], reach, allowed, frozen=True)


def _together(pairs: Sequence[tuple[int, int]], count: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The first pairs in which no cell both stands still and moves, and the other ones."""
    few: list[tuple[int, int]] = []
    rest: list[tuple[int, int]] = []
    still: set[int] = set()
    moves: set[int] = set()
    for single, target in pairs:
        if len(few) < count and single not in moves and target not in still:
            few.append((single, target))
            still.add(single)
            moves.add(target)
        else:
            rest.append((single, target))
    return few, rest


def _of_one_person(system: System) -> Mask:
    """The sums whose total is one: it and its only part are the same person, who learns nothing."""
    ones = np.where(system.values == 1, 1.0, 0.0)
    found: Mask = (system.sums @ ones == 0) & ((system.sums > 0).astype(float) @ ones > 0)
    return found


def _told_to_singles(state: _State, of_one_person: Mask) -> list[tuple[int, int]]:
    """Pairs of a single and a confidential cell that are alone withheld in a sum of more than one person."""
    system = state.system
    if not system.singles.any():
        return []
    entries = system.sums.tocoo()
    mine = state.withheld[entries.col]
    line, cell = entries.row[mine], entries.col[mine].astype(np.int64)
    two = (np.bincount(line, minlength=system.sums.shape[0])[line] == 2) & ~of_one_person[line]
    order = np.lexsort((cell[two], line[two]))
    pairs = cell[two][order].reshape(-1, 2)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[system.singles[both[:, 0]] & system.confidential[both[:, 1]] & (system.need[both[:, 1]] > 0)]
    return [(int(single), int(target)) for single, target in np.unique(both, axis=0)]
