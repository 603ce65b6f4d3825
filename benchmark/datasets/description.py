"""What training will see of a data set, in lines of text."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.datasets.catalog import load_arrays
from benchmark.datasets.images.dataset import Dataset, StreamedDataset
from benchmark.datasets.images.image_files import DEVIATION, MEAN
from benchmark.datasets.images.sample import check_sample, sample_images
from benchmark.datasets.names import Name


def describe_dataset(name: Name, data: Dataset) -> list[str]:
    """Shape, classes, images per class, scale and checksum of a set.

    Raises ``InvalidInput`` where a sample of a folder's images cannot be trained on.
    """
    check_sample(data)
    channels, height, width = data.shape
    unit = "channel" if channels == 1 else "channels"
    lines = [
        f"name in results: {data.name}",
        f"read as: {name.absolute}",
        f"images: {height} x {width} pixels, {channels} {unit}",
        f"classes: {data.classes}",
    ]
    for part, y in (("training", data.y_train), ("test", data.y_test)):
        counts = torch.bincount(y, minlength=data.classes)
        lines.append(
            f"{part} images: {len(y):,} ({int(counts.min()):,} to {int(counts.max()):,} per class)"
        )
    lines += describe_scales(name, data)
    covers = (
        "the size and the path and bytes of every file"
        if name.kind == "imagefolder"
        else ("shape, type and bytes of the raw arrays")
    )
    return [*lines, f"checksum: sha256 {data.checksum} (of {covers})"]


def describe_scales(name: Name, data: Dataset) -> list[str]:
    """The raw pixels of both splits and what they become, a line each."""
    if isinstance(data, StreamedDataset):
        seen = [sample_images(files) for files in (data.train_files, data.test_files)]
        deviation, mean = (torch.tensor(v).view(3, 1, 1) for v in (DEVIATION, MEAN))
        raw = [x * deviation + mean for x in seen]
    else:
        seen = [data.x_train, data.x_test]
        arrays = load_arrays(name)
        raw = [torch.as_tensor(x.astype("float32")) for x in (arrays[0], arrays[2])]
    return [
        f"{part} pixels: {tell_scale(before)}; standardized {tell_scale(after)}"
        + (f" (of {len(after)} images)" if isinstance(data, StreamedDataset) else "")
        for part, before, after in zip(("training", "test"), raw, seen, strict=True)
    ]


def tell_scale(x: Tensor) -> str:
    """The range, mean and deviation of pixels."""
    return (
        f"{float(x.min()):.4g} to {float(x.max()):.4g}, mean {float(x.mean()):.3g}, "
        f"deviation {float(x.std(unbiased=False)):.3g}"
    )
