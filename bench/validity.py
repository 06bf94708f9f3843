"""What makes a latency doubtful: each flag stands at the figure, in every table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.schema import BenchCase, Environment, Round

from .stats import DRIFT_LIMIT, percentile, validity_flags

WAITING_LIMIT = 0.05
"""Of the time in which a case's threads could have run, the largest share spent without a core."""
UNEVEN_LIMIT = 0.10
"""How far apart the same known work may take on one machine."""
OUTLIER_LIMIT = 0.01
"""The largest share of samples beyond three interquartile ranges above the upper quartile (Tukey's "far out")."""

MEANINGS = {
    "few_samples": "too few samples for a 99th percentile",
    "no_compute_plan": "Core ML tells no compute plan",
    "unsteady": "the medians of the two halves of the samples differ by more than 5%",
    "cut_short": "the time limit ended it before it had its repeats",
    "interrupted": "the run was interrupted before this case was finished",
    "not_warm": "it was still getting faster when the warm-up had to end",
    "machine_busy": "its threads waited for a core for more than 5% of the time: the machine was slow, not the model",
    "machine_uneven": "the same fixed work took more than 10% longer at one time than at another",
    "rounds_differ": "the medians of its rounds differ by more than 5%",
    "outliers": "more than 1% of the samples lie far out",
    "throttled": "heat or a quota held the processor back",
    "governor_powersave": "the system kept the clock low",
    "on_battery": "the machine ran on battery",
    "low_power_mode": "the machine was in its low-power mode",
}


def flags_of(case: BenchCase, samples: Sequence[int], rounds: Sequence[Round], environment: Environment) -> list[str]:
    """The flags of a case's latency samples, which lie in the order of its `rounds`."""
    found = list(validity_flags(samples))
    found += ["cut_short"] if len(samples) < case.min_repeats else []
    found += ["not_warm"] if not all(share.steady for share in rounds) else []
    found += (
        ["machine_busy"] if max((waiting_share(share) or 0.0 for share in rounds), default=0) > WAITING_LIMIT else []
    )
    work = [time for share in rounds for time in share.known_work_ns]
    found += ["machine_uneven"] if work and max(work) > (1 + UNEVEN_LIMIT) * min(work) else []
    medians = [percentile(share, 50) for share in by_round(samples, rounds)]
    found += ["rounds_differ"] if max(medians) > (1 + DRIFT_LIMIT) * min(medians) else []
    found += ["outliers"] if _far_out(samples) > OUTLIER_LIMIT else []
    found += ["throttled"] if any(share.throttled for share in rounds) else []
    found += ["governor_powersave"] if environment.governor == "powersave" else []
    found += ["on_battery"] if environment.on_battery else []
    found += ["low_power_mode"] if environment.low_power_mode else []
    if environment.thermal_state not in (None, "nominal"):
        found.append(f"thermal_{environment.thermal_state}")
    return found


def by_round(samples: Sequence[int], rounds: Sequence[Round]) -> list[Sequence[int]]:
    """The samples of each round; all of them as one where there is no record of rounds."""
    shares, begin = [], 0
    for share in rounds:
        shares.append(samples[begin : begin + share.samples])
        begin += share.samples
    return shares or [samples]


def waiting_share(share: Round) -> float | None:
    """Of the time in which its threads could have run, the share spent without a core; None: not told."""
    if share.waited_ns is None or share.processor_ns is None:
        return None
    able = share.waited_ns + share.processor_ns
    return share.waited_ns / able if able else 0.0


def _far_out(samples: Sequence[int]) -> float:
    lower, upper = percentile(samples, 25), percentile(samples, 75)
    return float(np.mean(np.asarray(samples) > upper + 3 * (upper - lower)))
