"""How libraries are set on a device, and in which words they say that memory does not suffice."""

import subprocess
import sys

import pytest
import torch
from support.commands import environment

from benchmark.engine.device import is_out_of_memory

MESSAGES = [
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDA driver error: CUDA_ERROR_OUT_OF_MEMORY",
    "NCCL error: unhandled cuda error, Failed to CUDA calloc async 24 bytes",
    "HIP out of memory. Tried to allocate 20.00 MiB",
    "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory",
    "std::bad_alloc",
    "could not create a primitive",
]
OTHERS = [
    "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)",
    "CUDA error: an illegal memory access was encountered",
    "CUDA error: device-side assert triggered",
    "CUBLAS_STATUS_EXECUTION_FAILED",
]
CAPTURE = "CUDA error: operation failed due to a previous error during capture"


@pytest.mark.parametrize("message", MESSAGES)
def test_a_lack_of_memory_is_told_in_every_spelling(message: str) -> None:
    assert is_out_of_memory(RuntimeError(message))


@pytest.mark.parametrize("message", [*OTHERS, CAPTURE])
def test_other_errors_are_not_taken_for_it(message: str) -> None:
    assert not is_out_of_memory(RuntimeError(message))


def test_real_ones_are_told() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)
    assert is_out_of_memory(OSError(12, "Cannot allocate memory"))
    assert not is_out_of_memory(ValueError("the study says out of memory"))


def test_an_error_behind_the_one_that_surfaces_counts() -> None:
    """A capture that fails for want of memory ends in an error of its own."""

    def fail() -> None:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError(CAPTURE)

    with pytest.raises(RuntimeError) as context:
        fail()
    assert context.value.__context__ is not None
    assert is_out_of_memory(context.value)
    with pytest.raises(RuntimeError) as cause:
        raise RuntimeError("worker failed") from context.value
    assert is_out_of_memory(cause.value)


def test_errors_in_a_circle_end() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__context__, other.__context__ = other, one
    assert not is_out_of_memory(one)


FLOAT32 = """
import torch
asked = torch.backends.cuda.matmul.allow_tf32
from benchmark.engine.device import prepare_device
from benchmark.store.provenance import make_record
before = make_record("", 0.0)["float32_products"]
prepare_device(torch.device("cpu"))
after = make_record("", 0.0)["float32_products"]
prepare_device(torch.device("cpu"), tf32=True)
chosen = make_record("", 0.0)["float32_products"]
prepare_device(torch.device("cpu"))
last = make_record("", 0.0)["float32_products"]
print(asked, before, after, torch.get_float32_matmul_precision(), chosen, last)
"""


def test_float32_is_float32_whatever_the_environment_says_and_tf32_a_choice() -> None:
    asked = environment() | {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1", "NVIDIA_TF32_OVERRIDE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FLOAT32], capture_output=True, text=True, env=asked, check=True
    )
    assert done.stdout.split() == ["True", "tf32", "float32", "highest", "tf32", "float32"]
