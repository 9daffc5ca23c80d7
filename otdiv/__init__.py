"""otdiv: exact optimal transport and divergences, every distance with a proof."""

from otdiv._version import __version__

__all__ = ["__version__"]
