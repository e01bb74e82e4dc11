"""Files of load testers: what each request says, what stands for what, and that each tool's summary comes out again."""

import json
import os
from pathlib import Path

import pytest
import yaml
from markscheme.app.importing.load_tests.found import LoadChoice, repeated
from markscheme.app.importing.load_tests.llmperf import METRICS
from markscheme.app.importing.load_tests.reading import read_loads
from markscheme.app.importing.load_tests.summaries import checked, summary
from markscheme.harness.errors import DataError
from markscheme.harness.serving import rates
from markscheme.harness.serving.records import Setting
from markscheme.harness.timing import FOREIGN, tpot

FILES = Path(__file__).parents[1] / "imports" / "load"
VLLM, POISSON, CONCURRENT = (
    FILES / f"{name}.json" for name in ("vllm_concurrent", "guidellm_poisson", "guidellm_concurrent")
)
LLMPERF = FILES / "llmperf" / "parrot_550_150_individual_responses.json"
ASIS = LoadChoice()


def read(path, choice=ASIS):
    return read_loads([path], choice)


def changed(tmp_path, path, change, name="changed.json"):
    """A copy of a file in which ``change`` did something to the document."""
    document = json.loads(path.read_text())
    target = tmp_path / name
    target.write_text(json.dumps(change(document) or document))
    return target


def without(*names):
    return lambda document: {name: value for name, value in document.items() if name not in names}


@pytest.mark.parametrize("path", [VLLM, POISSON, CONCURRENT, LLMPERF], ids=lambda path: path.stem)
def test_each_tools_own_summary_comes_out_of_its_requests(path):
    for found in read(path):
        check = checked(found.own, found.ours)
        assert check.of >= 4
        assert check.off == ()
        assert found.origin in FOREIGN


def test_a_summary_that_does_not_come_out_is_named():
    check = checked(
        {"mean_ttft_ms": 60.0, "p99_ttft_ms": 1.0, "elsewhere": 3.0}, {"mean_ttft_ms": 60.0, "p99_ttft_ms": 2}
    )
    assert (check.of, check.off) == (2, (("p99_ttft_ms", 1.0, 2),))


def test_percentiles_of_other_tools_lie_between_two_values():
    made = summary([1.0, 2.0, 4.0], (25.0, 99.0), ddof=1)
    assert (made["p25"], made["p99"], made["median"], made["mean"]) == (
        1.5,
        pytest.approx(3.96),
        2.0,
        pytest.approx(7 / 3),
    )
    assert made["std"] == pytest.approx(1.5275252)
    assert summary([], (50.0,), ddof=0) == {}
    assert "std" not in summary([1.0], (50.0,), ddof=1)


def test_a_vllm_file_is_a_closed_loop_of_its_users():
    (found,) = read(VLLM)
    assert found.setting == Setting("meta-llama/Llama-3.2-1B", "closed", 2.0)
    document = json.loads(VLLM.read_text())
    first, failed, short = (found.requests[i] for i in (0, 7, 9))
    assert (first.status, first.ttft_s, first.gaps_s) == ("ok", document["ttfts"][0], tuple(document["itls"][0]))
    assert first.e2e_s == document["latencies"][0]
    assert (first.prompt_tokens, first.completion_tokens) == (20, document["output_lens"][0])
    assert first.text.startswith("Paris")
    assert (failed.status, failed.ttft_s, failed.e2e_s) == ("network", None, None)
    assert failed.detail == "aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected"
    assert tpot(short) is None
    assert [one.scheduled_s == one.sent_s for one in found.requests] == [True] * 12, "closed: waiting is nobody's"


def test_rates_of_a_vllm_file_are_its_own_but_for_the_moment_before_the_first_request():
    (found,) = read(VLLM)
    document = json.loads(VLLM.read_text())
    assert rates.requests_per_s(found.loaded(0)) == pytest.approx(document["request_throughput"], rel=0.005)
    assert rates.output_tokens_per_s(found.loaded(0)) == pytest.approx(document["output_throughput"], rel=0.005)


def test_an_earlier_vllm_does_not_say_when_and_its_duration_stands_in(tmp_path):
    early = without("latencies", "start_times", "queue_times")
    (found,) = read(changed(tmp_path, VLLM, early))
    document = json.loads(VLLM.read_text())
    assert found.window_s == document["duration"]
    assert found.requests[0].e2e_s == pytest.approx(document["latencies"][0])
    assert rates.requests_per_s(found.loaded(0)) == pytest.approx(document["request_throughput"])
    assert found.notes == ()

    (found,) = read(changed(tmp_path, VLLM, lambda d: early(d) | {"request_rate": 4.0}))
    assert "does not say when requests were sent" in found.notes[0]


@pytest.mark.parametrize(
    ("said", "shape", "level"),
    [
        ({"request_rate": 4.0}, "poisson", 4.0),
        ({"request_rate": 4.0, "burstiness": float("inf")}, "constant", 4.0),
        ({"request_rate": 4.0, "burstiness": 0.5}, "trace", 4.0),
        ({"max_concurrency": None}, "closed", 12.0),
    ],
)
def test_vllm_rates_are_open_loops(tmp_path, said, shape, level):
    (found,) = read(changed(tmp_path, VLLM, lambda d: {**d, **said}))
    assert (found.setting.shape, found.setting.level) == (shape, level)


def test_what_a_request_waited_under_a_cap_counts_in_an_open_loop(tmp_path):
    (found,) = read(changed(tmp_path, VLLM, lambda d: {**d, "request_rate": 100.0}))
    document = json.loads(VLLM.read_text())
    waited = [one.sent_s - one.scheduled_s for one in found.requests]
    assert waited == pytest.approx(document["queue_times"], abs=1e-9)
    assert [one.capped for one in found.requests] == [False, False] + [True] * 10
    assert min(one.scheduled_s for one in found.requests) == 0.0


def test_appended_results_are_repeats_of_one_setting(tmp_path):
    path = tmp_path / "appended.json"
    path.write_text(VLLM.read_text() * 3)
    loads = repeated(read(path))
    assert [load.repeat for load in loads] == [0, 1, 2]
    assert len({load.setting for load in loads}) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("ttfts", "itls", "errors"), "has no ttfts, itls, errors; write it with --save-result --save-detailed"),
        (lambda d: {**without("ttfts")(d), "input_sequence_throughput": 3.0}, "a benchmark of embeddings"),
        (lambda d: {**d, "errors": d["errors"][:3]}, "errors: holds 3 requests, and ttfts 12; the file is damaged"),
        (lambda d: {**d, "ttfts": ["soon", *d["ttfts"][1:]]}, "ttfts[0]: 'soon' is not a number of 0 or more"),
        (lambda d: {**d, "ramp_up_strategy": "linear"}, "its rate was ramped up"),
        (lambda d: {**d, **{k: [] for k in d if isinstance(d[k], list)}}, "holds no requests"),
        (lambda d: {"answers": []}, "has answers, and is no result of a load tester that we know; known are"),
        (lambda d: [1, 2], "holds list, and is no result of a load tester"),
    ],
)
def test_what_a_file_lacks_is_said_with_its_name(tmp_path, change, said):
    path = changed(tmp_path, VLLM, change)
    with pytest.raises(DataError) as error:
        read(path)
    assert said in str(error.value)
    assert str(error.value).startswith(str(path))


def test_a_guidellm_report_is_a_cell_a_benchmark():
    one, two = read(CONCURRENT)
    assert (one.setting, two.setting) == (Setting("cand-1", "closed", 1.0), Setting("cand-1", "closed", 2.0))
    theirs = json.loads(CONCURRENT.read_text())["benchmarks"][0]
    first = min(theirs["requests"]["successful"], key=lambda r: r["request_start_time"])
    served = one.requests[0]
    assert served.ttft_s == pytest.approx(first["time_to_first_token_ms"] / 1000)
    assert 1000 * tpot(served) == pytest.approx(first["inter_token_latency_ms"]), "their ITL is our TPOT"
    assert served.e2e_s < first["request_latency"], "until the last token, not the end of the request"
    assert one.prompts[0] == {
        "question": json.loads(first["request_args"])["body"]["messages"][0]["content"][0]["text"]
    }
    assert one.window_s == pytest.approx(theirs["duration"])


def test_guidellms_open_loop_has_schedules_and_failures():
    (found,) = read(POISSON)
    assert found.setting == Setting("cand-1", "poisson", 20.0)
    assert [one.status for one in found.requests].count("server_error") == 2
    assert all(one.sent_s >= one.scheduled_s >= 0 for one in found.requests)
    assert any(one.sent_s > one.scheduled_s for one in found.requests)


def test_guidellms_warm_up_is_out_of_the_window_and_what_was_cut_off_is_counted(tmp_path):
    def change(document):
        (benchmark,) = document["benchmarks"]
        starts = sorted(r["request_start_time"] for r in benchmark["requests"]["successful"])
        benchmark["scheduler_metrics"]["measure_start_time"] = starts[3] - 1e-6
        benchmark["warmup_duration"] = 1.0
        benchmark["requests"]["incomplete"] = [{}, {}]

    (found,) = read(changed(tmp_path, POISSON, change))
    assert [one.phase for one in found.requests if one.status == "ok"] == ["warm_up"] * 3 + ["measured"] * 5
    assert found.left == {"requests that the end of the benchmark cut off": 2}
    assert found.own == {}, "its means leave the warm-up out"


def test_a_guidellm_report_as_yaml_reads_the_same(tmp_path):
    path = tmp_path / "benchmarks.yaml"
    path.write_text(yaml.dump(json.loads(CONCURRENT.read_text())))
    assert [one.requests for one in read(path)] == [one.requests for one in read(CONCURRENT)]


def strategy(**said):
    def change(document):
        document["benchmarks"][0]["config"]["strategy"] = said
        document["benchmarks"] = document["benchmarks"][:1]

    return change


def test_guidellms_other_loads(tmp_path):
    (alone,) = read(changed(tmp_path, CONCURRENT, strategy(type_="synchronous")))
    (flood,) = read(changed(tmp_path, POISSON, strategy(type_="throughput")))
    (replay,) = read(changed(tmp_path, POISSON, strategy(type_="trace")))
    assert (alone.setting.shape, alone.setting.level) == ("closed", 1.0)
    assert flood.setting.shape == "closed"
    assert 2 <= flood.setting.level <= 10, "the most that were in flight at once"
    assert replay.setting.shape == "trace"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["metadata"].update(version=9), "metadata.version: 9 is no form of report that we know"),
        (lambda d: d.update(benchmarks=[]), "holds no benchmarks"),
        (lambda d: d["benchmarks"][0].pop("requests"), "benchmarks[0]: has no requests"),
        (lambda d: d["benchmarks"][0].pop("scheduler_metrics"), "has no scheduler_metrics.measure_start_time"),
        (lambda d: d["benchmarks"][0]["requests"].update(successful=[]), "holds no request that ended"),
        (strategy(type_="waves"), "config.strategy.type_: 'waves' is a load that we do not know"),
        (
            lambda d: d["benchmarks"][0]["requests"]["successful"][0]["info"].pop("timings"),
            "requests.successful[0]: has no info.timings.request_start",
        ),
        (
            lambda d: d["benchmarks"][0]["requests"]["successful"].pop(),
            "keeps 7 of 8 requests, so rates cannot be told",
        ),
    ],
)
def test_what_a_guidellm_report_lacks_is_said(tmp_path, change, said):
    def changing(document):
        change(document)
        return document

    with pytest.raises(DataError) as error:
        read(changed(tmp_path, CONCURRENT, changing))
    assert said in str(error.value)


def test_llmperf_takes_users_and_seconds_from_the_summary_beside_it():
    (found,) = read(LLMPERF)
    assert found.setting == Setting("parrot/7b", "closed", 2.0)
    assert found.window_s == pytest.approx(5.0)
    assert [one.status for one in found.requests] == ["ok"] * 4 + ["rate_limited", "ok"]
    assert found.requests[4].detail == "rate limit exceeded"


def test_throughput_is_tokens_over_seconds_not_what_llmperf_recorded():
    (found,) = read(LLMPERF)
    responses = json.loads(LLMPERF.read_text())
    tokens = sum(one["number_output_tokens"] for one in responses)
    assert rates.output_tokens_per_s(found.loaded(0)) == pytest.approx(tokens / 5.0)
    recorded = responses[0]["request_output_throughput_token_per_s"]
    served = found.requests[0]
    assert served.completion_tokens / served.e2e_s > 2 * recorded


def test_llmperf_without_its_summary_needs_to_be_told_the_users(tmp_path):
    path = tmp_path / LLMPERF.name
    path.write_text(LLMPERF.read_text())
    with pytest.raises(DataError, match=r"does not say how many requests were in flight; keep its _summary\.json"):
        read(path)
    (found,) = read(path, LoadChoice(users=3))
    assert found.setting == Setting("parrot_550_150", "closed", 3.0)
    assert rates.requests_per_s(found.loaded(0)) is None, "nobody knows how long it took: unknown is not 0"
    assert "there are no rates" in found.notes[0]


def test_a_response_without_its_times_is_named(tmp_path):
    path = changed(tmp_path, LLMPERF, lambda d: [{**d[0], "ttft_s": None}])
    with pytest.raises(DataError, match=r"\[0\]: this response has no ttft_s; it is of no llmperf that we know"):
        read(path, LoadChoice(users=1))


def test_two_tools_by_one_name_are_not_one_cell():
    found = read(VLLM, LoadChoice("mini")) + read(LLMPERF, LoadChoice("mini"))
    with pytest.raises(
        DataError, match=r"was measured with vllm in .*, and here with llmperf, which means other things"
    ):
        repeated(found)


@pytest.mark.published
def test_the_summaries_of_nineteen_published_runs_come_out_of_their_requests():
    """llmperf-leaderboard, 2,845 requests: 40 numbers of each run."""
    folder = Path(os.environ.get("MARKSCHEME_PUBLISHED_DATA", "")) / "llmperf"
    if not (folder / "requests.csv").is_file():
        pytest.skip("MARKSCHEME_PUBLISHED_DATA names no folder with llmperf")
    published = json.loads((folder / "expected_summaries.json").read_text())
    loads = read_loads([folder / "requests.csv"], LoadChoice(users=5))
    assert [load.setting.candidate for load in loads] == list(published)
    agreeing = 0
    for load in loads:
        own = {name: float(value) for name, value in published[load.setting.candidate].items() if name in load.ours}
        check = checked({name: own[name] for name in own if any(metric in name for metric in METRICS)}, load.ours)
        assert check.off == ()
        agreeing += check.of
        assert sum(one.status != "ok" for one in load.requests) == own["results_number_errors"]
    assert agreeing == 760
