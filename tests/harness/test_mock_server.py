"""The mock server itself: what it counts must be right, since tests and benchmarks believe it."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import mock_openai
from tests.servers.mock_openai import mock_server
from tests.servers.mock_replies import code_word, is_right

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


def post(server, path, body):
    """Status and body of a POST; a dropped connection raises."""
    request = urllib.request.Request(server.root + path, data=json.dumps(body).encode())
    try:
        with OPENER.open(request, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def chat(server, id_, model="cand-1", **more):
    content = f"[[Q{id_}]] What is the code word?"
    status, body = post(server, "/v1/chat/completions", {"model": model, "messages": [{"content": content}], **more})
    return status, json.loads(body)


def said(server, id_, **more):
    return chat(server, id_, **more)[1]["choices"][0]["message"]["content"]


def test_the_share_of_right_answers_is_known():
    assert [sum(is_right(i) for i in range(n)) for n in (200, 300, 1000)] == [131, 207, 706]
    assert code_word(0) == "zor000"
    assert code_word(1) == "zor63z"


def test_the_candidate_knows_the_right_ones_and_the_judge_says_so(server):
    server.configure()
    schema = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 0, "maximum": 3}}}
    form = {"type": "json_schema", "json_schema": {"name": "v", "schema": schema}}
    for id_ in range(12):
        assert (code_word(id_) in said(server, id_)) == is_right(id_)
        verdict = said(server, id_, model="judge-1", response_format=form)
        assert json.loads(verdict) == {"score": 3 if is_right(id_) else 0}


def test_a_schema_written_into_the_prompt_is_followed(server):
    server.configure(correct_rate=1)
    schema = {"type": "object", "properties": {"clarity": {"enum": [1, 2, 3, 4, 5]}}}
    content = f"[[Q1]] Use {{braces}}. Reply in JSON by this schema: {json.dumps(schema)} Thanks."
    _, body = post(server, "/v1/chat/completions", {"model": "judge-1", "messages": [{"content": content}]})
    assert json.loads(json.loads(body)["choices"][0]["message"]["content"]) == {"clarity": 5}


def test_counts_of_bodies_ids_and_repeats(server):
    server.configure()
    for id_ in (1, 1, 2):
        chat(server, id_)
    chat(server, 1, model="judge-1")
    stats = server.stats()
    assert (stats["received"], stats["ok"]) == (4, 4)
    assert (stats["unique_bodies"], stats["duplicate_bodies"]) == (3, 1)
    assert stats["kinds"]["gen"] == {"received": 3, "ok": 3, "distinct_ids_ok": 2, "repeat_ok_for_same_id": 1}
    assert stats["kinds"]["judge"]["repeat_ok_for_same_id"] == 0


def test_calls_in_flight_are_counted(server):
    server.configure(latency={"kind": "fixed", "ms": 100})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id_: chat(server, id_), range(8)))
    stats = server.stats()
    assert stats["in_flight_max"] == 8
    assert 3 < stats["in_flight_mean"] <= 8
    assert stats["in_flight"] == 0


def test_faults_are_the_same_for_the_same_bodies_and_fresh_for_a_retry(server):
    outcomes = []
    for _ in range(2):
        server.configure(errors={"r429": 0.3, "r500": 0.3, "seed": 3})
        outcomes.append([chat(server, id_)[0] for id_ in range(30)])
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {200, 429, 500}
    again = [chat(server, id_)[0] for id_ in range(30)]
    assert again != outcomes[0]
    server.configure(errors={"r429": 0.3, "r500": 0.3, "seed": 4})
    assert [chat(server, id_)[0] for id_ in range(30)] != outcomes[0]


def test_fault_rates_are_kept(server):
    server.configure(errors={"r500": 0.2})
    failed = sum(chat(server, id_)[0] == 500 for id_ in range(400))
    assert 50 <= failed <= 110  # 80 expected, sd 8
    assert server.stats()["outcomes"] == {"500": failed, "ok": 400 - failed}


def test_a_malformed_body_is_cut_and_bad_content_is_no_verdict(server):
    server.configure(errors={"first": ["malformed", "badcontent", "drop"]})
    body = {"model": "judge-1", "messages": [{"content": "[[Q1]]"}]}
    with pytest.raises(json.JSONDecodeError):
        json.loads(post(server, "/v1/chat/completions", body)[1])
    text = json.loads(post(server, "/v1/chat/completions", body)[1])["choices"][0]["message"]["content"]
    assert text == "I am sorry, I cannot help with that."
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        post(server, "/v1/chat/completions", body)
    # What was answered was paid for, readable or not; what was cut or dropped was not.
    assert server.stats()["ok"] == 1


def test_a_reply_is_cut_where_the_limit_is_too_small(server):
    server.configure(min_tokens={"judge": 100})
    cut = chat(server, 1, model="judge-1", max_tokens=50)[1]["choices"][0]
    whole = chat(server, 1, model="judge-1", max_tokens=100)[1]["choices"][0]
    assert (cut["finish_reason"], whole["finish_reason"]) == ("length", "stop")


def test_lognormal_latency_spreads(server):
    server.configure(latency={"kind": "lognormal", "median_ms": 4, "sigma": 0.8, "seed": 1})
    state = mock_openai.State(mock_openai.merged({}, server._ask("/config")))
    draws = sorted(state.latency_s(b"%d" % i, 1) for i in range(501))
    assert draws[250] == pytest.approx(0.004, rel=0.2)
    assert draws[450] > 1.8 * draws[250]


def test_embeddings_and_models(server):
    server.configure()
    _, body = post(server, "/v1/embeddings", {"model": "e", "input": ["a", "b", "a"]})
    vectors = [row["embedding"] for row in json.loads(body)["data"]]
    assert len(vectors[0]) == 64
    assert vectors[0] == vectors[2] != vectors[1]
    with OPENER.open(server.url + "/models", timeout=5) as response:
        assert "judge-1" in response.read().decode()
    assert post(server, "/v1/unknown", {})[0] == 404


def test_an_unknown_dialect_is_refused():
    with pytest.raises(ValueError, match="no_such"):
        mock_openai.State({"dialects": ["no_such"]})


def test_it_runs_as_a_program_that_prints_where_it_listens():
    path = Path(mock_openai.__file__)
    config = json.dumps({"say": {"gen": "as configured"}})
    process = subprocess.Popen(
        [sys.executable, path, "--port", "0", "--config", config], stdout=subprocess.PIPE, text=True
    )
    try:
        line = json.loads(process.stdout.readline())
        assert line["pid"] == process.pid
        assert said(mock_openai.MockServer(line["listening"]), 1) == "as configured"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
