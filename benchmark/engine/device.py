"""Where a process trains, how the libraries are set there, and how a lack of memory is told."""

from __future__ import annotations

import os

import torch

from search_spaces.errors import InvalidInput

OUT_OF_MEMORY = (
    # the machine's memory: torch, the operating system, C++, numpy, oneDNN
    "DefaultCPUAllocator",
    "can't allocate memory",
    "Cannot allocate memory",
    "bad_alloc",
    "Unable to allocate",
    "could not create a ",  # oneDNN: "a memory" or "a primitive"
    # a GPU's memory: the allocator, the runtime, cuBLAS, cuSOLVER, cuFFT, cuDNN, NCCL
    "out of memory",
    "OUT_OF_MEMORY",
    "ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "cudaErrorMemoryAllocation",
    "Failed to CUDA calloc",
    "NCCL WARN Cuda failure 2",
)
"""What errors of several libraries say where memory does not suffice."""


def choose_device() -> str:
    """A GPU where the process sees one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def list_gpus() -> list[str]:
    """The names of the GPUs that PyTorch sees in this process."""
    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def require_gpu(gpus: float, place: str) -> None:
    """Raise ``InvalidInput`` where a shard has GPUs and PyTorch sees none at this place."""
    if gpus and not torch.cuda.is_available():
        raise InvalidInput(
            f"a shard is to train on {gpus:g} GPU, and PyTorch sees none on {place}; install a "
            "build of PyTorch for its driver, or give --gpus 0 to train on cores"
        )


def wait_for_device(device: torch.device | str | None) -> None:
    """Return once the device has done what was asked of it; the CPU always has."""
    if torch.device(device or "cpu").type == "cuda" and torch.cuda.is_available():
        torch.cuda.synchronize(device)


def prepare_device(device: torch.device, tf32: bool = False) -> None:
    """Set one thread, denormals flushed, and float32 products computed in float32.

    Tensor cores would round the factors of float32 products to 10 bits (TF32), which happens only
    where ``tf32`` asks for it. Some containers ask for it by TORCH_ALLOW_TF32_CUBLAS_OVERRIDE or
    NVIDIA_TF32_OVERRIDE, which torch and NVIDIA's libraries read when they are loaded; what they
    say does not count here.

    Two workers of two threads on two cores were seen to take a hundred times as long as one each.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    os.environ.pop("NVIDIA_TF32_OVERRIDE", None)  # "0" would forbid it to later units as well
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, a GPU's or the machine's, did not suffice.

    The errors that it was raised from, or while handling which it was raised, count too: what fails
    inside the capture of a CUDA graph surfaces as a failed capture.
    """
    seen: set[int] = set()
    causes: list[BaseException | None] = [error]
    while causes:
        cause = causes.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        if isinstance(cause, MemoryError | torch.OutOfMemoryError):
            return True
        if isinstance(cause, RuntimeError | OSError) and any(
            said in str(cause) for said in OUT_OF_MEMORY
        ):
            return True
        causes += [cause.__cause__, cause.__context__]
    return False
