"""Which operations a step of the engine spends its time on."""

from __future__ import annotations

from itertools import islice

from torch.profiler import ProfilerActivity, profile

from benchmark.engine import chunk_size
from benchmark.speed.networks import TimedNetwork

TOP = 6
STEPS = 3


def list_top_operations(network: TimedNetwork, device: str) -> str:
    """A line per operation: its share of the time of all, and its name."""
    builder = network.create_builder(device)
    replicas = network.replicas(network.rates)
    limit = chunk_size.LIMITS.choose(builder, replicas, steps=10**9)
    training = builder.build_training(
        replicas[: chunk_size.split_replicas(len(replicas), limit)[0]]
    )
    training.module.train()
    batches = list(islice(training.batches.epoch(), STEPS))
    training.advance(*batches[0])
    kinds = [ProfilerActivity.CPU]
    if device != "cpu":
        kinds.append(ProfilerActivity.CUDA)
    with profile(activities=kinds) as seen:
        for batch in batches:
            training.advance(*batch)
    events = seen.key_averages()
    own = "self_cpu_time_total" if device == "cpu" else "self_device_time_total"
    spent = {event.key: getattr(event, own) for event in events}
    whole = sum(spent.values())
    first = sorted(spent, key=lambda key: -spent[key])[:TOP]
    return "\n".join(f"  {spent[key] / whole:6.1%}  {key}" for key in first)
