"""How two samples differ: every distance of points in one table, or what changed between data frames."""

from otdiv.comparison.all_distances import Comparison, Distance, compare_all
from otdiv.comparison.tables_or_points import compare

__all__ = ["Comparison", "Distance", "compare", "compare_all"]
