"""How often the intervals of coefficients hold the truth, by simulation from known joint distributions."""

import numpy as np
import pytest
from markscheme.harness.statistics.agreement import judge_agreement
from markscheme.harness.statistics.coefficients import cohen, gwet_of_pairs, krippendorff_of_pairs, spearman
from markscheme.harness.statistics.intervals import t_quantile
from markscheme.harness.statistics.jackknife import fisher_limits
from markscheme.harness.statistics.tables import distances

LEVELS = np.arange(4.0)
MARGINS = np.array([0.08, 0.12, 0.25, 0.55])
RUNS = 10_000


def seen(noise):
    """(4, 4): what a rater says of each true level: itself, or with probability ``noise`` a neighbour."""
    table = np.diag(np.full(4, 1 - noise))
    for k in range(4):
        neighbours = [j for j in (k - 1, k + 1) if 0 <= j < 4]
        table[k, neighbours] = noise / len(neighbours)
    return table


def coefficients(tables):
    apart = distances(4)
    return {
        "kappa": cohen(tables, apart["unweighted"]).coefficient,
        "kappa_quadratic": cohen(tables, apart["quadratic"]).coefficient,
        "alpha": krippendorff_of_pairs(tables, "ordinal", LEVELS).coefficient,
        "ac2": gwet_of_pairs(tables, apart["quadratic"]).coefficient,
        "spearman": spearman(tables),
    }


def limits(tables, n):
    """Jackknife limits of many (runs, 4, 4) tables at once: of n items at most 16 are not alike."""
    values = coefficients(tables)
    left = coefficients(np.maximum(tables[:, None] - np.eye(16).reshape(16, 4, 4), 0))
    times = tables.reshape(-1, 16)
    found = {}
    for name, value in values.items():
        moves = np.where(times > 0, left[name] - value[:, None], 0)
        se = np.sqrt((n - 1) / n * (times * moves**2).sum(axis=1))
        found[name] = fisher_limits(value, se, t_quantile(0.95, n - 1))
    return found


@pytest.mark.parametrize("noise", [0.1, 0.25, 0.4])
def test_with_100_items_kappa_and_alpha_cover_91_percent_and_ac2_87(noise):
    n, rng = 100, np.random.default_rng(11)
    joint = np.einsum("k,ki,kj->ij", MARGINS, seen(noise), seen(noise))
    tables = rng.multinomial(n, joint.ravel(), RUNS).reshape(-1, 4, 4).astype(float)
    truth = coefficients(joint[None] * 1e9)
    found = limits(tables, n)
    judge, human = (np.repeat(axis, tables[0].astype(int).ravel()) for axis in np.indices((4, 4)).reshape(2, 16))
    public = judge_agreement(judge, human[:, None], LEVELS).estimates
    for name, (low, high) in found.items():
        assert (public[name].low, public[name].high) == pytest.approx((low[0], high[0])), name
        wanted = 0.87 if name == "ac2" else 0.91
        allowed = 2 * np.sqrt(wanted * (1 - wanted) / RUNS)
        assert ((low <= truth[name]) & (truth[name] <= high)).mean() >= wanted - allowed, name


def test_clustered_intervals_cover_where_those_that_ignore_documents_do_not():
    """34 documents of 14 questions; a document's own difficulty shifts all its truths and the judge's noise."""
    documents, runs = np.repeat(np.arange(34), 14), 300
    rng = np.random.default_rng(12)
    noises = np.array([0.05, 0.65])

    def draw():
        easy = rng.integers(0, 2, 34)[documents]
        truth = np.where(easy == 1, rng.choice(4, 476, p=MARGINS), rng.choice(4, 476, p=MARGINS[::-1]))
        away = np.array([seen(noise) for noise in noises])[easy]
        rows = away[np.arange(476), truth].cumsum(axis=1)
        judge = (rng.random((476, 1)) > rows).sum(axis=1)
        return judge, truth[:, None]

    joint = sum(np.diag(p) @ seen(noise) for p, noise in ((MARGINS[::-1], 0.05), (MARGINS, 0.65))) / 2
    truth = coefficients(joint.T[None] * 1e9)
    hits = dict.fromkeys(["clustered", "plain"], 0)
    for _ in range(runs):
        judge, humans = draw()
        for kind, clusters in (("clustered", documents), ("plain", None)):
            found = judge_agreement(judge, humans, LEVELS, clusters).estimates["kappa"]
            hits[kind] += found.low <= truth["kappa"][0] <= found.high
    assert hits["clustered"] / runs > 0.91
    assert hits["plain"] / runs < 0.85
