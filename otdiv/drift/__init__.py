"""Two tables as people have them: did the distribution change, how far, in which columns?"""

from otdiv.drift.column_distance import Moved
from otdiv.drift.columns import Column, Kind
from otdiv.drift.compare_tables import compare_tables
from otdiv.drift.joint_distance import JointDistance
from otdiv.drift.report import ColumnChange, TableComparison

__all__ = ["Column", "ColumnChange", "JointDistance", "Kind", "Moved", "TableComparison", "compare_tables"]
