"""Two-sample tests: do two samples come from one distribution?  Every p-value is valid for every sample size."""

from otdiv.two_sample.cell_tests import js_test
from otdiv.two_sample.choice import two_sample_test
from otdiv.two_sample.classifier import classifier_test
from otdiv.two_sample.columns import ColumnTest, ColumnTests, column_tests
from otdiv.two_sample.kernel_tests import energy_test, mmd_test
from otdiv.two_sample.multiple_testing import adjust_p_values
from otdiv.two_sample.result import TestResult
from otdiv.two_sample.wasserstein import capped_wasserstein_test, wasserstein_test

__all__ = [
    "ColumnTest",
    "ColumnTests",
    "TestResult",
    "adjust_p_values",
    "capped_wasserstein_test",
    "classifier_test",
    "column_tests",
    "energy_test",
    "js_test",
    "mmd_test",
    "two_sample_test",
    "wasserstein_test",
]
