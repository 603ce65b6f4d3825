"""What copies of a module draw in training, each from a stream of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from search_spaces.errors import InvalidInput
from search_spaces.layers import Dropout


class RandomStreams(Dropout):
    """A random stream per replica, which all that its copy draws comes from (dropout, stochastic
    depth). ``places`` are the modules that draw, as traced; ``rate`` is 0 where there are none."""

    def __init__(self, replicas: int, places: Sequence[str]) -> None:
        super().__init__(replicas, 0.5 if places else 0.0, replica_axis=0)
        self.places = (*places,)

    def set_ranks(self, rank: int, ranks: int) -> None:
        """Raise ``InvalidInput`` where several ranks would each draw for their slice of the batch:
        the module's own code draws, and cannot take a slice of what one process would draw."""
        super().set_ranks(rank, ranks)
        if ranks > 1 and self.places:
            raise InvalidInput(
                f"{self.places[0]} draws random numbers in training (dropout, stochastic depth), "
                f"which {ranks} ranks cannot share in a module of another package; set its rate to "
                "0 or use one rank"
            )

    @contextmanager
    def drawing(self, index: int, device: torch.device) -> Iterator[None]:
        """Draw from a replica's stream, and leave torch's own as it was."""
        if not self.training or self.rate == 0:
            yield
            return
        if len(self.generators) != self.replicas:
            raise InvalidInput(
                f"a module that draws needs one generator per replica ({self.replicas}), "
                f"got {len(self.generators)}; set RandomStreams.generators before training"
            )
        seed = int(torch.randint(2**62, (1,), generator=self.generators[index]))
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            yield
