"""Which unit is blamed when a worker is lost, and which were not tried at all."""

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console
from support.planted_units import planted_provenance, planted_rows, planted_unit
from support.small_study import STUDY

from benchmark.engine import engine
from benchmark.store.store import Store
from benchmark.sweep.resources import Resources
from benchmark.sweep.rounds import Rounds

SHARD = [planted_unit(f"mlp-{depth}") for depth in (5, 4, 3, 2)]
FIRST, SECOND, THIRD, FOURTH = (unit.id for unit in SHARD)
REASON = "Traceback\nActorDiedError: the actor died"


@pytest.fixture
def rounds(tmp_path: Path) -> Rounds:
    """In a round that tries the shard for the first time."""
    store = Store.open(str(tmp_path), create=True)
    tries = Counter(unit.id for unit in SHARD)
    return Rounds(STUDY, store, 1, Resources(), engine.run, Console(), attempts=tries)


def done(rounds: Rounds, number: int) -> None:
    rounds.store.write(SHARD[number], planted_rows(SHARD[number]), planted_provenance())


def test_the_unit_that_was_at_work_is_blamed_and_those_after_it_were_not_tried(
    rounds: Rounds,
) -> None:
    done(rounds, 0)
    rounds.record_loss(SHARD, REASON, {})
    (failure,) = rounds.store.failures().values()
    assert (failure.unit, failure.attempt, failure.killed) == (SECOND, 1, True)
    assert failure.error == "the worker was lost: ActorDiedError: the actor died"
    assert failure.traceback == REASON
    assert +rounds.attempts == {FIRST: 1, SECOND: 1}


def test_a_unit_that_raised_before_the_worker_was_lost_keeps_its_own_reason(
    rounds: Rounds,
) -> None:
    rounds.store.write_failure(SHARD[0], "ValueError: no", "Traceback")
    rounds.record_loss(SHARD, REASON, {})
    errors = {unit: failure.error for unit, failure in rounds.store.failures().items()}
    assert errors.keys() == {FIRST, SECOND}
    assert errors[FIRST] == "ValueError: no"
    assert +rounds.attempts == {FIRST: 1, SECOND: 1}


def test_a_unit_killed_at_its_limit_is_not_blamed_again_nor_is_the_next(rounds: Rounds) -> None:
    done(rounds, 0)
    rounds.store.write_failure(SHARD[1], "TimeoutError: late", "stacks", killed=True)
    rounds.record_loss(SHARD, REASON, {})
    assert rounds.store.attempts() == {SECOND: [1]}
    assert +rounds.attempts == {FIRST: 1, SECOND: 1}


def test_a_kill_of_an_earlier_round_does_not_excuse_this_one(rounds: Rounds) -> None:
    rounds.store.write_failure(SHARD[0], "TimeoutError: late", "stacks", killed=True)
    before = rounds.store.attempts()
    done(rounds, 0)
    rounds.record_loss(SHARD, REASON, before)
    assert rounds.store.attempts() == {FIRST: [1], SECOND: [1]}
    assert +rounds.attempts == {FIRST: 1, SECOND: 1}


def test_a_worker_lost_after_its_last_unit_harms_nobody(rounds: Rounds) -> None:
    for number in range(4):
        done(rounds, number)
    rounds.record_loss(SHARD, REASON, {})
    assert rounds.store.attempts() == {}
    assert +rounds.attempts == {unit.id: 1 for unit in SHARD}
