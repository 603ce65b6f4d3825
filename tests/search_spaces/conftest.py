"""One thread, as every worker has: small networks gain nothing from more."""

import torch

torch.set_num_threads(1)
