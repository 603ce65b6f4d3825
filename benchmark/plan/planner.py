"""From a study to units of work, stage by stage.

A stage may need an earlier one's results: ranking needs the base rates that tuning chose. So a plan
is made from what the store already holds, and made again when more is there.
"""

from __future__ import annotations

from benchmark.plan.depth_stages import depth_stages
from benchmark.plan.networks import check_networks
from benchmark.plan.rank_stages import rank_stages
from benchmark.plan.stage import Read
from benchmark.plan.updates_stages import updates_stages
from benchmark.study import Depth, Rank, Study, Updates
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit

__all__ = ["Read", "plan"]


def plan(study: Study, read: Read) -> list[Stage[Unit]]:
    """Every stage of every part, with the units that are known from what ``read`` can give.

    Raises ``InvalidInput`` where a part's networks cannot be trained on its images.
    """
    stages: list[Stage[Unit]] = []
    for part in study.parts:
        check_networks(part, part.architectures())
        match part:
            case Rank():
                stages += rank_stages(part, read)
            case Depth():
                stages += depth_stages(part, read)
            case Updates():
                stages += updates_stages(part)
    return [stage for stage in stages if stage.expected]
