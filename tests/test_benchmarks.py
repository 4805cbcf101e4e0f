"""The benchmarks run and give rows; how fast is for whoever runs them to judge."""

from __future__ import annotations

import pytest

from benchmarks import embedding, measurement


@pytest.mark.parametrize(("benchmark", "rows"), [(measurement, 1), (embedding, 2)])
def test_a_benchmark_gives_rows(benchmark, rows):
    made = benchmark.run()
    assert len(made) == rows
    assert all(len(row) == 5 and all(isinstance(word, str) for word in row) for row in made)
