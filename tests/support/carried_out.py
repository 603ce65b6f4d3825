"""A study planned and really trained in this process, round by round, as a job does."""

from benchmark.engine import engine
from benchmark.plan.planner import Stage
from benchmark.power.in_memory import Stored, carry_out
from benchmark.study import Study


def carried_out(study: Study) -> tuple[list[Stage], Stored]:
    """Every stage, and the rows of its units."""
    return carry_out(study, engine.run)
