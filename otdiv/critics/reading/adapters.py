"""Any critic as one thing: values and gradients at numpy points.

A critic that otdiv trained, a torch module, a file of one, or a function of numpy arrays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, invalid, optional_import
from otdiv.critics.reading.critic import Critic, Network, failed, require_function
from otdiv.critics.reading.layer_files import holds_layers, load_layers
from otdiv.critics.reading.module_file import require_program
from otdiv.critics.reading.modules import critic_of_module
from otdiv.critics.reading.outputs import held, one_value_a_point, resolution, selected
from otdiv.critics.reading.plain_layers import require_evaluable
from otdiv.critics.reading.program import Program
from otdiv.critics.reading.shaped_points import Shape
from otdiv.errors import InvalidInput
from otdiv.files.archives import open_archive

if TYPE_CHECKING:
    from otdiv.critics.fitted import FittedCritic


def read_critic(
    critic: Any, d: int, *, trust: bool = False, output: int | str | None = None, shape: Shape | None = None
) -> Critic:
    """Make a :class:`Critic` of a torch module, a file of one, or a function.

    Parameters
    ----------
    critic : FittedCritic, torch.nn.Module, str, Path, or callable
        One that otdiv trained, a module (or something with a ``module``), or a function of points [k, d] that
        returns values [k].  A file: what :meth:`FittedCritic.save` or :func:`otdiv.critics.save_layers` wrote, a
        state_dict beside its list of layers, or with ``trust`` TorchScript or an exported program.
    d : int
        Dimension of the points; the critic is tried on two of them.
    trust : bool
        Open TorchScript and exported programs, which can run code: only if you know the author.  They run in
        a process of their own, which is ended after a minute without an answer.
    output : int or str, optional
        Which of several outputs of a module or function counts: a position, or a key.
    shape : tuple of int, optional
        Of one point as a module or function takes it, such as (channels, height, width); d is its product.

    Raises
    ------
    InvalidInput
        Batch normalisation, or values that depend on the other points or on chance; NaN weights, another
        input size, an output that is not one value a point, a file that is no module, or a program without trust.
    MissingPackage
        A file, and torch is not installed.
    """
    trained = as_fitted(critic)
    if trained is not None:
        reader = Critic(
            f"{trained.constraint} critic",
            lambda z: held(trained(z), "values"),
            lambda z: held(trained.gradient(z), "gradients"),
            trained.lipschitz,
            network=_inner_network(trained),
        )
        require_function(reader, d)
        return reader
    if isinstance(critic, str | Path):
        return _from_file(Path(critic), d, trust, shape)
    module = _as_module(critic)
    if module is not None:
        return critic_of_module(module, d, f"module {type(module).__name__}", output=output, shape=shape)
    if callable(critic):
        return _from_function(critic, d, output, shape)
    raise invalid(
        "critic", "be a torch module, a file of one, or a function", type(critic).__name__, "Pass one of these."
    )


def _inner_network(trained: FittedCritic) -> Network | None:
    """The network of a critic that otdiv trained, in its own units."""
    module: Any = trained.module
    if type(module).__name__ != "Scaled":
        return None
    return Network(module.inner, module.centre.cpu().numpy(), float(module.scale))


def _from_file(path: Path, d: int, trust: bool, shape: Shape | None) -> Critic:
    """Weights with a list of plain layers, or, if its author is trusted, a program in a process of its own."""
    if holds_layers(path):
        network = load_layers(path)
        return critic_of_module(network, d, f"file {path.name}", require_evaluable(network, d, shape), shape=shape)
    require_program(path, trust=trust)
    if shape is not None:
        raise invalid(
            "critic", "be a file of layers, for images", path.name, "Save it by save_layers, or pass flat points."
        )
    program = Program(path, d)
    return Critic(f"file {path.name}", program.values, program.gradients, None)


def as_fitted(critic: Any) -> FittedCritic | None:
    """The critic if otdiv trained it, or wrote the file that is named; else None."""
    if isinstance(critic, str | Path):
        return _load_fitted(Path(critic))
    module = sys.modules.get("otdiv.critics.fitted")  # if it was never imported, there are no such critics
    return critic if module is not None and isinstance(critic, module.FittedCritic) else None


def _load_fitted(path: Path) -> FittedCritic | None:
    try:
        with open_archive(path) as archive:
            if any(name.endswith(("/constants.pkl", ".json")) for name in archive.namelist()):
                return None  # TorchScript, or an exported program
    except (ValueError, OSError):
        return None
    optional_import("torch", "Reading a critic", "torch")
    from otdiv.critics.fitted import FittedCritic

    try:
        return FittedCritic.load(path)
    except InvalidInput:
        return None


def _as_module(critic: Any) -> Any:
    """The module itself, of which forward is judged and no attribute; that of a bound forward; or None."""
    if hasattr(critic, "parameters") and hasattr(critic, "forward"):
        return critic
    owner = getattr(critic, "__self__", None)  # net.forward
    if hasattr(owner, "parameters") and getattr(critic, "__name__", "") == "forward":
        return owner
    inner = getattr(critic, "module", None)  # something that is no module and keeps one
    return inner if hasattr(inner, "parameters") and hasattr(inner, "forward") else None


def _from_function(function: Callable[[Array], Any], d: int, output: int | str | None, shape: Shape | None) -> Critic:
    name = f"function {getattr(function, '__name__', type(function).__name__)}"
    call = _in_its_language(function, d, shape or (d,))
    probe = selected(call(np.linspace(0.1, 0.9, 7)[:, None] * np.ones((1, d))), output)
    one_value_a_point(probe, 7)
    fine = resolution(probe)

    def values(z: Array) -> Array:
        return one_value_a_point(selected(call(z), output), len(z))

    def gradients(z: Array) -> Array:
        # the step that balances curvature and the rounding of the values
        step = fine ** (1 / 3) * max(1.0, float(np.abs(z).max(initial=0.0)))
        slopes = [(values(z + step * e) - values(z - step * e)) / (2 * step) for e in np.eye(z.shape[1])]
        return np.stack(slopes, axis=1)

    critic = Critic(name, values, gradients, None, fine)
    require_function(critic, d)
    return critic


def _in_its_language(function: Callable[[Any], Any], d: int, shape: Shape) -> Callable[[Array], Any]:
    """The function of numpy arrays; one that takes torch tensors only is given those, in single precision."""
    probe = np.zeros((2, d))

    def of_arrays(z: Array) -> Any:
        return function(np.array(z).reshape(len(z), *shape))  # a copy, which may be written to

    try:
        of_arrays(probe)
        return of_arrays
    except Exception as problem:  # whatever a user's function raises for an array that should have been a tensor
        torch = sys.modules.get("torch")
        if torch is None:
            raise failed(d, problem) from None

        def of_tensors(z: Array) -> Any:
            return function(torch.tensor(np.array(z), dtype=torch.float32).reshape(len(z), *shape))

        try:
            of_tensors(probe)
        except Exception:  # nor does it take tensors: the first error is the one that counts
            raise failed(d, problem) from None
        return of_tensors
