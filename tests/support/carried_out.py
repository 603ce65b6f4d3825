"""A study planned and really trained in this process, round by round, as a job does."""

from benchmark.engine import engine
from benchmark.power.in_memory import Stored, carry_out
from benchmark.study import Study
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit


def carried_out(study: Study) -> tuple[list[Stage[Unit]], Stored]:
    """Every stage, and the rows of its units."""
    return carry_out(study, engine.run)
