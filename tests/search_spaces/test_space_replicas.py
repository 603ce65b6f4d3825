"""Replicas trained together are the replicas trained alone."""

import pytest
import torch
from support.networks import Options, cases, images, network, seed_dropout, space_of
from torch import Tensor, nn
from torch.nn import functional as F


def run(module: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits in training, and the gradient of each replica's mean loss, summed."""
    logits_RBC = module.train()(x)
    y_RB = (torch.arange(logits_RBC.shape[1]) % 3).expand(logits_RBC.shape[0], -1)
    loss_RB = F.cross_entropy(logits_RBC.flatten(0, 1), y_RB.flatten(), reduction="none")
    loss_RB.view(y_RB.shape).mean(1).sum().backward()
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    return logits_RBC.detach(), gradients


@cases
def test_replicas_are_solo_runs(name: str, options: Options, architecture: str) -> None:
    space, replicas = space_of(name, options), 3
    together, x = network(space, architecture, replicas), images(replicas)
    start = {key: value.clone() for key, value in together.state_dict().items()}
    logits, gradients = run(together, x)
    for replica in range(replicas):
        alone = network(space, architecture, 1)
        alone.load_state_dict({key: value[replica : replica + 1] for key, value in start.items()})
        seed_dropout(alone, [replica])
        solo_logits, solo_gradients = run(alone, x[:, replica : replica + 1])
        torch.testing.assert_close(logits[replica], solo_logits[0], rtol=1e-11, atol=1e-12)
        assert solo_gradients.keys() == gradients.keys()
        for key, gradient in solo_gradients.items():
            torch.testing.assert_close(gradients[key][replica], gradient[0], rtol=1e-9, atol=1e-11)
        for key, value in alone.state_dict().items():  # running statistics too
            expected = together.state_dict()[key][replica]
            torch.testing.assert_close(expected, value[0], rtol=1e-11, atol=1e-12)


@cases
def test_a_nan_stays_in_its_replica(name: str, options: Options, architecture: str) -> None:
    space = space_of(name, options)
    found = []
    for poison in (0.0, float("nan")):
        module, x = network(space, architecture, 2), images(2)
        x[:, 0] += poison
        found.append(run(module, x))
    (clean, clean_gradients), (ill, ill_gradients) = found
    assert ill[0].isnan().all()
    assert torch.equal(clean[1], ill[1])
    for key, gradient in clean_gradients.items():
        assert torch.equal(gradient[1], ill_gradients[key][1])


@cases
def test_what_can_train_gets_a_gradient(name: str, options: Options, architecture: str) -> None:
    module = network(space_of(name, options), architecture, replicas=2)
    _, gradients = run(module, images(2))
    asked = {key for key, parameter in module.named_parameters() if parameter.requires_grad}
    assert asked == set(gradients)


# Forward mode loads scripts of torch's own that torch itself calls deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit")
@cases
def test_forward_and_reverse_derivatives_agree(
    name: str, options: Options, architecture: str
) -> None:
    """The change of the logits along a step, by either mode: one-step studies use the forward."""
    module = network(space_of(name, options), architecture, replicas=2)
    x = images(2)
    parameters = {key: p.detach() for key, p in module.named_parameters() if p.requires_grad}
    generator = torch.Generator().manual_seed(2)
    step = {
        key: torch.randn(p.shape, generator=generator, dtype=p.dtype)
        for key, p in parameters.items()
    }

    def logits(values: dict[str, Tensor]) -> Tensor:
        seed_dropout(module, [0, 1])
        return torch.as_tensor(torch.func.functional_call(module, values, (x,)))

    change = torch.func.jvp(logits, (parameters,), (step,))[1]
    seed_dropout(module, [0, 1])
    asked = {key: p for key, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(module(x).sum(), list(asked.values()))
    along = sum(
        float((gradient * step[key]).sum()) for key, gradient in zip(asked, gradients, strict=True)
    )
    assert float(change.sum()) == pytest.approx(along, rel=1e-8)
