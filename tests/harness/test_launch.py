"""What an exam may say of servers that are started for it, who shares one, and in which order they are used."""

import json
from pathlib import Path

import pytest
from markscheme.harness.errors import ExamError
from markscheme.harness.exam import describe, exam_from_dict
from markscheme.harness.keys import digest
from markscheme.harness.serving.launch_spec import adapter_identity
from markscheme.harness.serving.phases import engine_identity, phases_of, servers_of

LLAMA = "vllm/meta-llama/Llama-3.1-8B-Instruct"
QWEN = "vllm/Qwen/Qwen3-8B"


@pytest.fixture
def exam(tmp_path: Path):
    def made(*candidates, judges=(), **more):
        named = [{"name": f"c{n}", **candidate} for n, candidate in enumerate(candidates)]
        data = {"dataset": "docs_qa", "candidates": named, "judges": list(judges), **more}
        return exam_from_dict(data, base=tmp_path, name="exam")

    return made


def adapter(folder: Path, name: str, weights: bytes = b"w") -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_text("{}")
    (path / "adapter_model.safetensors").write_bytes(weights)
    return path


def problem(exam, *candidates, **more) -> str:
    with pytest.raises(ExamError) as found:
        exam(*candidates, **more)
    return str(found.value)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("--host=0.0.0.0", "--host is not yours to set: the server listens on this machine only"),
        ("--port", "--port is not yours to set: a free port is chosen"),
        ("--api-key", "--api-key is not yours to set: each server is given a key of its own"),
        ("--api_key=abc", "--api-key is not yours"),
        ("--hf-token", "export HF_TOKEN=…"),
        ("--lora-modules", "name them under adapters:"),
    ],
)
def test_arguments_that_would_undo_what_is_promised_are_refused(exam, word, why):
    text = problem(exam, {"model": LLAMA, "launch": {"args": ["--max-model-len", 8192, word]}})
    assert "candidates[0].launch.args[2]" in text
    assert why in text
    assert "abc" not in text


def test_arguments_are_a_list_that_no_shell_splits(exam):
    assert "write a list" in problem(exam, {"model": LLAMA, "launch": {"args": "--max-model-len 8192"}})
    made = exam({"model": LLAMA, "launch": {"args": ["--max-model-len", 8192, "--seed", "$(reboot)"]}})
    (server,) = servers_of(made.candidates).values()
    assert server.arguments(1234) == (
        *("serve", "meta-llama/Llama-3.1-8B-Instruct", "--max-model-len", "8192", "--seed", "$(reboot)"),
        *("--host", "127.0.0.1", "--port", "1234"),
    )


@pytest.mark.parametrize(
    ("candidate", "why"),
    [
        ({"model": "openai/gpt-4o", "launch": {}}, "starts vLLM, and 'openai/gpt-4o' is no model of its"),
        ({"model": LLAMA, "launch": {}, "base_url": "http://gpu:8000/v1"}, "has no effect beside launch"),
        ({"model": LLAMA, "launch": {}, "api_key_env": "KEY"}, "has no effect beside launch"),
        ({"model": LLAMA, "adapter": "tuned"}, "on a server of your own it is a model: vllm/tuned"),
        ({"model": LLAMA, "launch": {}, "adapter": "tuned"}, "'tuned' is not among launch.adapters; there are none"),
        ({"model": LLAMA, "launch": {"adapters": {"t": "./nowhere"}}}, "'./nowhere': there is no such file"),
        ({"model": LLAMA, "launch": {"adapters": {"a b": "org/lora"}}}, "'a b' cannot name an adapter"),
        ({"model": LLAMA, "launch": {"gpus": [0, 0]}}, "[0, 0] names a GPU twice"),
        ({"model": LLAMA, "launch": {"gpus": [-1]}}, "gpus[0]"),
        ({"model": LLAMA, "launch": {"timeout_s": 0}}, "timeout_s"),
        ({"model": "baseline/lead", "usd_per_gpu_hour": 2.0}, "has no effect on the candidate 'baseline/lead'"),
    ],
)
def test_what_contradicts_or_lacks_a_launch_is_named(exam, candidate, why):
    assert why in problem(exam, candidate)


def test_a_judge_is_launched_like_a_candidate(exam):
    judge = {"name": "strict", "model": QWEN, "rubric": "docs_qa", "launch": {"gpus": [1]}}
    phases = phases_of(exam({"model": "baseline/lead"}, judges=[judge]))
    assert [(phase.role, phase.names, [s.name for s in phase.servers]) for phase in phases] == [
        ("candidate", ("c0",), []),
        ("judge", ("strict",), ["Qwen3-8B"]),
    ]


def test_a_base_model_and_its_adapters_share_a_server(exam, tmp_path):
    adapter(tmp_path, "short")
    launch = {"adapters": {"short": "./short", "long": "team/long-lora"}}
    made = exam(
        {"model": LLAMA, "launch": launch, "usd_per_gpu_hour": 2.5},
        {"model": LLAMA, "launch": launch, "adapter": "short"},
        {"model": LLAMA, "launch": {"adapters": {"terse": "team/terse-lora"}, "timeout_s": 2000}},
    )
    (server,) = servers_of(made.candidates).values()
    assert dict(server.adapters) == {
        "short": str(tmp_path / "short"),
        "long": "team/long-lora",
        "terse": "team/terse-lora",
    }
    assert (server.usd_per_gpu_hour, server.timeout_s) == (2.5, 2000)
    assert f"short={tmp_path / 'short'}" in server.arguments(1)
    (phase,) = phases_of(made)
    assert phase.names == ("c0", "c1", "c2")


def test_two_prices_or_folders_for_one_server_are_refused(exam):
    one = {"model": LLAMA, "launch": {"adapters": {"t": "team/a"}}, "usd_per_gpu_hour": 2.0}
    other = {"model": LLAMA, "launch": {"adapters": {"t": "team/b"}}, "usd_per_gpu_hour": 3.0}
    text = problem(exam, one, other)
    assert "candidates[1]: adapter 't' is 'team/b' here and 'team/a' for 'c0', which shares the server" in text
    assert "candidates[1]: usd_per_gpu_hour is 3.0 here and 2.0 for 'c0'" in text


def test_phases_take_a_set_of_gpus_at_a_time_and_put_apart_ones_together(exam):
    def on(model, *gpus, **more):
        return {"model": model, "launch": {"gpus": list(gpus), **more}}

    made = exam(
        {"model": "baseline/lead"},
        on(LLAMA, 0),
        on(QWEN, 0),
        on(QWEN, 1),
        on(LLAMA, 2, 3),
        on(LLAMA),
        on(LLAMA, 1),
        judges=[
            {"name": "hosted", "model": "openai/gpt-4o", "rubric": "docs_qa"},
            {"name": "own", "model": QWEN, "rubric": "docs_qa", "launch": {"gpus": [0]}},
        ],
    )
    assert [(phase.role, phase.names) for phase in phases_of(made)] == [
        ("candidate", ("c1", "c3", "c4")),
        ("candidate", ("c2", "c6")),
        ("candidate", ("c5",)),
        ("candidate", ("c0",)),
        ("judge", ("own",)),
        ("judge", ("hosted",)),
    ]


def test_an_exam_without_launches_has_one_phase_of_candidates_and_one_of_judges(exam):
    judges = [{"name": "j", "model": "embedded", "rubric": "docs_qa"}]
    made = exam({"model": "baseline/lead"}, {"model": "openai/gpt-4o"}, judges=judges)
    assert [(phase.role, phase.names, phase.servers) for phase in phases_of(made)] == [
        ("candidate", ("c0", "c1"), ()),
        ("judge", ("j",), ()),
    ]


def test_several_gpus_are_all_used_unless_the_arguments_say_how(exam):
    def args(*words):
        made = exam({"model": LLAMA, "launch": {"gpus": [0, 1], "args": list(words)}})
        return next(iter(servers_of(made.candidates).values())).args

    assert args("--seed", "1") == ("--seed", "1", "--tensor-parallel-size", "2")
    assert args("--pipeline_parallel_size=2") == ("--pipeline_parallel_size=2",)


def test_servers_of_one_model_have_names_of_their_own(exam):
    made = exam(*({"model": LLAMA, "launch": {"args": ["--seed", n]}} for n in (1, 2)), {"model": QWEN, "launch": {}})
    names = [server.name for server in servers_of(made.candidates).values()]
    assert names == ["Llama-3.1-8B-Instruct-1", "Llama-3.1-8B-Instruct-2", "Qwen3-8B"]


def test_a_key_holds_arguments_and_adapter_and_no_gpu(exam, tmp_path):
    adapter(tmp_path, "tuned")

    def identity(**launch):
        named = {"adapter": "tuned"} if "adapters" in launch else {}
        return digest(engine_identity(exam({"model": LLAMA, "launch": launch, **named}).candidates[0]))

    plain = identity(gpus=[0])
    assert plain == identity(gpus=[3], timeout_s=5.0)
    tuned = identity(adapters={"tuned": "./tuned"})
    assert len({plain, identity(args=["--dtype", "float16"]), identity(args=["--revision", "abc"]), tuned}) == 4
    elsewhere = adapter(tmp_path / "copy", "moved")
    assert identity(adapters={"tuned": str(elsewhere)}) == tuned


def test_an_adapter_that_was_trained_again_is_another(tmp_path):
    first = adapter(tmp_path, "tuned")
    before = adapter_identity(str(first))
    (first / "training.log").write_text("noise")
    assert adapter_identity(str(first)) == before
    (first / "adapter_model.safetensors").write_bytes(b"other")
    assert adapter_identity(str(first)) != before
    assert adapter_identity("team/lora") == "team/lora"


def test_a_run_keeps_how_its_servers_were_started_without_this_machines_paths(exam, tmp_path):
    adapter(tmp_path, "tuned")
    launch = {"args": ["--seed", 1], "adapters": {"tuned": str(tmp_path / "tuned"), "hub": "team/lora"}, "gpus": [0]}
    kept = describe(exam({"model": LLAMA, "launch": launch, "adapter": "tuned", "usd_per_gpu_hour": 2.5}))
    (candidate,) = kept["candidates"]
    assert candidate["launch"]["adapters"] == {"tuned": "tuned", "hub": "team/lora"}
    assert (candidate["adapter"], candidate["usd_per_gpu_hour"]) == ("tuned", 2.5)
    assert str(tmp_path) not in json.dumps(candidate)


def test_an_adapter_whose_folder_has_signs_of_its_own_is_passed_as_json(exam, tmp_path):
    odd = adapter(tmp_path / "lr=0.1, r=16", "tuned")
    made = exam({"model": LLAMA, "launch": {"adapters": {"tuned": str(odd)}}})
    (server,) = servers_of(made.candidates).values()
    assert json.loads(server.arguments(1)[4]) == {"name": "tuned", "path": str(odd)}
