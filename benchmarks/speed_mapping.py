"""How fast and how exact RankDistributionMapper is, against scikit-learn's QuantileTransformer in the same run.

    python benchmarks/speed_mapping.py

The peers: two QuantileTransformers, forward with the one of the virtual samples and back with the one of the real ones;
and the 100-step map as a loop over channels and bins, which is how one writes it first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from _common import write_result
from scipy.stats import ks_2samp
from sklearn.preprocessing import QuantileTransformer
from threadpoolctl import threadpool_limits

from har_virtual.adaptation import RankDistributionMapper

N_WINDOWS, N_SAMPLES, N_CHANNELS, REPEATS, SEED = 10_000, 30, 21, 7, 0
PROTOCOL = (
    "10,000 virtual and 10,000 real windows of 30 samples x 21 channels, float32, so 300,000 samples a domain; a "
    "channel is a mixture of rest (two narrow normal peaks), motion (a wide normal) and impacts (Laplace) with "
    "parameters of its own in each domain. One thread, 7 rounds in which the methods take turns. seconds: median, for "
    "learning both distributions and mapping the virtual samples; ratio: median over rounds of the time over "
    "quantile_transformer's in the same round. ks: two-sample Kolmogorov-Smirnov distance of mapped and real samples, "
    "worst channel. interpolated, step_100: RankDistributionMapper.fit_transform on all 20,000 windows. "
    "quantile_transformer: n_quantiles=1000, subsample=None, fit on the virtual and on the real samples, transform, "
    "inverse_transform. bin_loop_100: np.percentile and a mask for each channel and bin."
)


def mixture(rng: np.random.Generator) -> np.ndarray:
    """Windows whose channels rest, move and hit."""
    size = N_WINDOWS * N_SAMPLES
    channels = []
    for _ in range(N_CHANNELS):
        parts = rng.choice(4, size, p=rng.dirichlet([4, 2, 6, 1]))
        centre = rng.normal(scale=[6, 6, 3, 1], size=4)
        spread = rng.uniform([0.05, 0.1, 1, 4], [0.3, 0.5, 4, 10])
        noise = np.where(parts == 3, rng.laplace(size=size), rng.normal(size=size))
        channels.append(centre[parts] + spread[parts] * noise)
    return np.stack(channels, axis=1).astype(np.float32).reshape(N_WINDOWS, N_SAMPLES, N_CHANNELS)


def by_mapper(mapper: RankDistributionMapper) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """fit_transform of `mapper` on the rows of both domains."""
    return lambda windows, domain: mapper.fit_transform(windows, sample_domain=domain)[domain == 1]


def quantile_transformer(windows: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """To ranks with one transformer, back to values with the other."""
    virtual, real = (windows[domain == side].reshape(-1, N_CHANNELS) for side in (1, 0))
    forward, backward = (QuantileTransformer(n_quantiles=1000, subsample=None).fit(side) for side in (virtual, real))
    return backward.inverse_transform(forward.transform(virtual))


def bin_loop_100(windows: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """A mask for each channel and bin."""
    virtual, real = (windows[domain == side].reshape(-1, N_CHANNELS).astype(np.float64) for side in (1, 0))
    percentages = np.linspace(0, 100, 100)
    sources, targets = (np.percentile(side, percentages, axis=0) for side in (virtual, real))
    mapped = np.empty(virtual.shape, dtype=windows.dtype)
    for channel in range(N_CHANNELS):
        lower = -np.inf
        for upper, value in zip(sources[:, channel], targets[:, channel], strict=True):
            mapped[(virtual[:, channel] > lower) & (virtual[:, channel] <= upper), channel] = value
            lower = upper
    return mapped


def ks_distance(mapped: np.ndarray, real: np.ndarray) -> float:
    """Two-sample distance of the worst channel."""
    pairs = zip(mapped.reshape(-1, N_CHANNELS).T, real.reshape(-1, N_CHANNELS).T, strict=True)
    return max(float(ks_2samp(ours, theirs, method="asymp").statistic) for ours, theirs in pairs)


def main() -> None:
    rng = np.random.default_rng(SEED)
    windows, domain = np.concatenate([mixture(rng), mixture(rng)]), np.repeat([1, 0], N_WINDOWS)
    virtual, real = windows[domain == 1], windows[domain == 0]
    methods: dict[str, Callable] = {
        "interpolated": by_mapper(RankDistributionMapper()),
        "step_100": by_mapper(RankDistributionMapper(method="step", n_quantiles=100)),
        "quantile_transformer": quantile_transformer,
        "bin_loop_100": bin_loop_100,
    }
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    mapped = {}
    with threadpool_limits(1):
        for _ in range(REPEATS):
            for name, method in methods.items():
                start = time.perf_counter()
                mapped[name] = method(windows, domain)
                seconds[name].append(time.perf_counter() - start)
    results = {"ks_unmapped": round(ks_distance(virtual, real), 4)}
    for name in methods:
        ratio = np.median(np.divide(seconds[name], seconds["quantile_transformer"]))
        results[name] = {
            "seconds": round(float(np.median(seconds[name])), 3),
            "ratio": round(float(ratio), 3),
            "ks": float(f"{ks_distance(mapped[name], real):.3g}"),
        }
    steps, loop = (mapped[name].reshape(-1, N_CHANNELS) for name in ("step_100", "bin_loop_100"))
    results["step_100"]["equal_to_bin_loop"] = np.array_equal(steps, loop)
    write_result("speed_mapping", PROTOCOL, results, SEED)


if __name__ == "__main__":
    main()
