"""Median and median absolute deviation of runs."""

from collections.abc import Mapping, Sequence
from statistics import median

Sample = dict[str, float]


def mad(values: Sequence[float]) -> float:
    """Returns the median distance of `values` from their median, in their unit."""
    middle = median(values)
    return median(abs(value - middle) for value in values)


def summarise(runs: Sequence[Mapping[str, float]]) -> tuple[Sample, Sample]:
    """Returns the median and the MAD of each metric that all `runs` have."""
    if not runs:
        return {}, {}
    names = [name for name in runs[0] if all(name in run for run in runs)]
    columns = {name: [run[name] for run in runs] for name in names}
    return (
        {name: median(column) for name, column in columns.items()},
        {name: mad(column) for name, column in columns.items()},
    )
