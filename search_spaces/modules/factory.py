"""The space ``module``: networks that a function of the user's makes, one rung per depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from search_spaces.errors import InvalidInput
from search_spaces.ladders.ladder import Ladder
from search_spaces.modules.source import hash_source, import_factory
from search_spaces.options import require_positive
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class FactoryModules(Ladder):
    """module-D is what ``factory`` gives for depth D, a plain torch module.

    ``factory`` reads ``package.module:function``. It is called with the keywords ``depth``,
    ``width``, ``classes`` and ``in_shape`` (channels, height, width), and returns a module that
    maps images (B, *in_shape) to class scores (B, classes). The graph is traced for images of
    3 x 32 x 32. Every process that trains must be able to import it.

    ``source`` is the hash of the factory's file, which is part of what results are identified by:
    the same name with changed code is another network. It is filled in where it is not given. What
    that file imports is not part of it.
    """

    factory: str = "search_spaces.modules.example:build_residual"
    width: int = 64
    source: str = ""

    name: ClassVar[str] = "module"
    unit: ClassVar[str] = ""
    version: ClassVar[int] = 1
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        require_positive("width", self.width)
        if not self.source:
            object.__setattr__(self, "source", hash_source(self.factory))

    def topology(self, architecture: str) -> Topology:
        """The traced graph of a rung."""
        from search_spaces.modules.building import trace_architecture

        return trace_architecture(self, self.parse(architecture), (3, 32, 32), 10).topology

    def make(self, architecture: str, in_shape: tuple[int, int, int], classes: int) -> nn.Module:
        """What the factory gives for the rung's depth.

        Raises ``InvalidInput`` where it cannot be imported or its file is another than ``source``.
        """
        found = import_factory(self.factory)
        present = hash_source(self.factory)
        if self.source != present:
            raise InvalidInput(
                f"factory={self.factory!r} has changed: its file's hash is {present}, where this "
                f"study or these results have {self.source}; put that version back, or plan anew"
            )
        made: nn.Module = found(
            depth=self.depth(architecture), width=self.width, classes=classes, in_shape=in_shape
        )
        return made

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC; copies run one after the other."""
        from search_spaces.modules.building import build_replicated

        return build_replicated(self, self.parse(architecture), replicas, in_shape, classes)
