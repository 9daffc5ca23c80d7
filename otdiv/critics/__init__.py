"""Neural critics: what they estimate, and whether the estimate can be believed."""

from otdiv.critics.audit import audit
from otdiv.critics.report import CriticReport

__all__ = ["CriticReport", "audit"]
