"""A step of a training as one CUDA graph: recorded once, then replayed without the processor in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

WARM_UP = 3
"""Steps before the capture, in which libraries take the memory that they keep."""


def captured(
    step: Callable[[], None],
    device: torch.device,
    changed: Callable[[], Sequence[Tensor]],
    *,
    prepare: Callable[[], None] | None = None,
    generators: Sequence[torch.Generator] = (),
) -> Callable[[], None]:
    """The step as a graph of the card's own; all that warm-up and capture change is put back.

    Parameters
    ----------
    step : callable
        Reads and writes tensors of the device only, at fixed places, and waits for nothing.
    device : torch.device
        A CUDA device.
    changed : callable
        -> the tensors that a step changes and the next one reads.  What the warm-up itself makes, such as the states
        of optimizers, is set to zero.
    prepare : callable, optional
        Called before every step of the warm-up, and before the capture.
    generators : sequence of torch.Generator
        Of the device, from which the step draws; a replay moves them on as the step itself does.

    Returns
    -------
    callable
        Replays the step.
    """
    before = [(tensor, tensor.detach().clone()) for tensor in changed()]
    positions = [generator.get_state() for generator in generators]
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.device(device):
        own = torch.cuda.Stream()
        own.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(own):
            for _ in range(WARM_UP):
                if prepare is not None:
                    prepare()
                step()
            if prepare is not None:
                prepare()
        torch.cuda.current_stream().wait_stream(own)
        with torch.cuda.graph(graph, stream=own):  # the stream of the warm-up: gradients are added up where they were
            step()
        torch.cuda.current_stream().wait_stream(own)
    put_back(before, changed())
    for generator, position in zip(generators, positions, strict=True):
        generator.set_state(position)
    return graph.replay


@torch.no_grad()
def put_back(before: Sequence[tuple[Tensor, Tensor]], now: Sequence[Tensor]) -> None:
    """Give tensors their former values in place, and 0 to those that are new."""
    values = {id(tensor): value for tensor, value in before}
    for tensor in now:
        if id(tensor) in values:
            tensor.copy_(values[id(tensor)])
        else:
            tensor.zero_()
