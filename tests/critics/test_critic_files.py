"""Critics as data are built from a closed list of layers; critics that are programs run apart, under limits."""

from __future__ import annotations

import json
import os
import signal
import time
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from otdiv.cli.main import main
from otdiv.critics import audit, load_layers, save_layers
from otdiv.critics.reading.adapters import read_critic
from otdiv.critics.reading.plain_layers import LAYERS
from otdiv.critics.reading.program import Program
from otdiv.errors import InvalidInput


def plain(*layers):
    torch.manual_seed(0)
    return nn.Sequential(*layers).eval()


NETWORKS = {
    "activations": lambda: plain(
        nn.Linear(4, 8), nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(0.5), nn.Softplus(2), nn.SiLU(), nn.GELU(),
        nn.Tanh(), nn.Sigmoid(), nn.Identity(), nn.Dropout(), nn.Linear(8, 1, bias=False),
    ),
    "nested": lambda: plain(nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(inplace=True))), nn.Linear(8, 1)),
    "norms": lambda: plain(nn.Linear(4, 8), nn.LayerNorm(8), nn.Tanh(), nn.GroupNorm(2, 8), nn.Linear(8, 1)),
    "spectral": lambda: plain(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 8)), nn.Tanh(), nn.Linear(8, 1)),
    "weight norm": lambda: plain(nn.utils.parametrizations.weight_norm(nn.Linear(4, 8)), nn.Tanh(), nn.Linear(8, 1)),
    "images": lambda: plain(
        nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 3, 3, stride=2, padding=2), nn.AvgPool2d(2, 1), nn.MaxPool2d(1),
        nn.Flatten(), nn.LazyLinear(1),
    ),
    "signals": lambda: plain(nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 2, 2), nn.Flatten(), nn.Linear(6, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_saved_is_what_is_read(name, tmp_path):
    network = NETWORKS[name]()
    z = torch.randn((7, 4), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(z).reshape(-1)
    save_layers(network, tmp_path / "critic.safetensors")
    again = load_layers(tmp_path / "critic.safetensors")
    assert torch.equal(again(z).reshape(-1), expected)
    values = read_critic(tmp_path / "critic.safetensors", 4).values(z.double().numpy())
    assert np.array_equal(values, expected.double().numpy())


def test_every_layer_of_the_closed_list_is_tried_above():
    tried = {
        type(layer).__name__.removeprefix("Parametrized") for make in NETWORKS.values() for layer in make().modules()
    }
    assert set(LAYERS) <= tried


def test_a_state_dict_beside_its_list_of_layers(tmp_path, capsys):
    network = plain(nn.Linear(2, 8), nn.LeakyReLU(0.1), nn.Linear(8, 1))
    torch.save(network.state_dict(), tmp_path / "critic.pt")
    rng = np.random.default_rng(0)
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(20, 2)))
    arguments = ["audit", str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), "--critic", str(tmp_path / "critic.pt")]
    with pytest.raises(SystemExit) as code:
        main(arguments)
    assert code.value.code == 2 and "save_layers" in capsys.readouterr().err
    layers = [{"layer": "Linear"}, {"layer": "LeakyReLU", "negative_slope": 0.1}, {"layer": "Linear"}]
    (tmp_path / "critic.json").write_text(json.dumps(layers))
    with pytest.raises(SystemExit) as code:
        main(arguments)
    assert code.value.code in (0, 1) and "product of layer norms" in capsys.readouterr().out
    x = rng.normal(size=(20, 2))
    assert audit(tmp_path / "critic.pt", x, x + 1).value == audit(network, x, x + 1).value


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("trapped",))


def test_a_state_dict_that_is_a_pickle_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"0.weight": Trap()}, "critic.pt")
    (tmp_path / "critic.json").write_text('[{"layer": "Linear"}]')
    with pytest.raises(InvalidInput, match=r"critic file critic.pt must hold weights"):
        load_layers(tmp_path / "critic.pt")
    assert not (tmp_path / "trapped").exists()


W = {"0.weight": torch.zeros(1, 2), "0.bias": torch.zeros(1)}
BAD_LISTS = {
    "not JSON": ("[", W),
    "no list": ("{}", W),
    "empty": ("[]", {}),
    "too long": (json.dumps([{"layer": "ReLU"}] * 1001), {}),
    "no object": ('["Linear"]', W),
    "outside the list": ('[{"layer": "Embedding"}]', W),
    "a class of Python": ('[{"layer": "os.system"}]', W),
    "unknown option": ('[{"layer": "Linear", "device": "cuda"}]', W),
    "option beyond": ('[{"layer": "Unflatten", "unflattened_size": [1, 100000]}]', {}),
    "negative": ('[{"layer": "LeakyReLU", "negative_slope": -5}]', {}),
    "text for a number": ('[{"layer": "LeakyReLU", "negative_slope": "9**9**9"}]', {}),
    "no weights": ('[{"layer": "Linear"}, {"layer": "Linear"}]', W),
    "more weights": ('[{"layer": "Linear"}]', {**W, "1.weight": torch.zeros(3)}),
    "weights of another shape": ('[{"layer": "Linear"}]', {"0.weight": torch.zeros(3)}),
    "integers": ('[{"layer": "Linear"}]', {"0.weight": torch.zeros((1, 2), dtype=torch.int64)}),
    "deep": ("[" * 100_000, W),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_lists_that_fit_no_weights_are_refused(name, tmp_path):
    text, weights = BAD_LISTS[name]
    path = tmp_path / "critic.safetensors"
    save_file(weights, path, metadata={"layers": text})
    with pytest.raises(InvalidInput, match="must hold weights and the list of their layers") as caught:
        load_layers(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500
    save_file(weights, path)
    with pytest.raises(InvalidInput, match="weights without the list of layers"):
        load_layers(path)


def test_layers_without_a_word_are_refused_when_saved(tmp_path):
    target = tmp_path / "critic.safetensors"

    class Own(nn.Linear):
        def forward(self, z):
            return super().forward(z) ** 2

    for layer, message in (
        (nn.Embedding(3, 2), "got Embedding"),
        (Own(2, 1), "got Own"),
        (nn.Sequential(nn.Unflatten(1, (2, 1, 1)), nn.Conv2d(2, 2, 1, groups=2)), "groups=2"),
        (nn.Sequential(nn.Linear(2, 2), nn.GELU(approximate="tanh")), "approximate='tanh'"),
        (nn.BatchNorm1d(2), "got BatchNorm1d"),
    ):
        with pytest.raises(InvalidInput, match=message):
            save_layers(layer, target)
    with pytest.raises(InvalidInput, match=r"end in .safetensors"):
        save_layers(nn.Linear(2, 1), tmp_path / "critic.pt")
    assert list(tmp_path.iterdir()) == []


def test_small_files_that_ask_for_large_layers_are_refused_before_anything_is_computed(tmp_path):
    layers = [nn.Unflatten(1, (2, 1, 1)), nn.Conv2d(2, 2, 1, padding=4096), nn.Flatten()]
    path = tmp_path / "critic.safetensors"
    save_layers(nn.Sequential(*layers), path)
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="have layers of at most 16,777,216 entries"):
        read_critic(path, 2)
    assert time.monotonic() - began < 5
    save_layers(plain(nn.Linear(2, 1)), path)
    with pytest.raises(InvalidInput, match="take points of dimension 3"):
        read_critic(path, 3)


class Endless(nn.Module):
    def forward(self, z):
        n = 0
        while n >= 0:
            n = (n + 1) % 7
        return z[:, 0] + n


class Huge(nn.Module):
    def forward(self, z):
        return torch.zeros(1000000, 1000000).sum() + z[:, 0]


class Loud(nn.Module):
    def forward(self, z):
        print("noise")
        return z[:, 0] * 2


@pytest.fixture
def program(tmp_path):
    """A function that saves a module as TorchScript."""

    def save(module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces the end of TorchScript
            torch.jit.script(module).save(str(tmp_path / "program.pt"))
        return tmp_path / "program.pt"

    return save


@pytest.mark.slow
def test_a_program_without_end_is_one_sentence(program):
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=r"got no end of opening it within 4 s. Give its values"):
        Program(program(Endless()), 2, seconds=4.0)
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_program_that_takes_all_memory_is_one_sentence(program):
    with pytest.raises(InvalidInput, match=r"an error|or more memory than is free") as caught:
        Program(program(Huge()), 2)
    assert str(caught.value).isprintable()


@pytest.mark.slow
def test_a_program_that_crashes_is_one_sentence(program):
    critic = Program(program(Loud()), 2)
    z = np.arange(20_000.0).reshape(-1, 2)
    assert np.array_equal(critic.values(z), 2 * z[:, 0])  # what it prints is no answer
    assert np.array_equal(critic.gradients(z[:5]), np.tile([2.0, 0.0], (5, 1)))
    process = critic._process
    os.kill(process.pid, signal.SIGSEGV)
    with pytest.raises(InvalidInput, match="got a crash"):
        critic.values(z)
    process.wait(5)


@pytest.mark.slow
def test_the_process_ends_with_the_critic(program):
    critic = Program(program(Loud()), 2)
    process = critic._process
    assert process.poll() is None
    del critic
    assert process.wait(5) is not None
