"""Names, endpoints and keys: which server a model is asked on, and who gets to see which key."""

import asyncio
import os
import pickle
import subprocess
import sys

import pytest
from markscheme.harness.errors import InputError
from markscheme.harness.models.base import Limits
from markscheme.harness.models.catalog import open_model
from markscheme.harness.models.endpoints import PRESETS, Endpoint
from markscheme.harness.models.secret import Secret
from markscheme.harness.models.sessions import proxy_for
from markscheme.harness.records import Reply, Request

from tests.servers.mock_openai import mock_server

ASK = Request(({"role": "user", "content": "[[Q1]] hi"},))
KEY = "planted-key-4711"


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_TOKEN", "_BASE_URL", "_HOST", "_REGION")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def ask(model, *requests):
    async def go():
        try:
            return [await model.complete(request) for request in requests]
        finally:
            await model.close()

    outcomes = asyncio.run(go())
    return outcomes[0] if len(outcomes) == 1 else outcomes


def sent_headers(server):
    return server.stats()["recent"][-1]["headers"]


def test_identity_is_the_endpoints_name_never_its_address():
    one, two = (open_model("vllm/llama", base_url=f"http://127.0.0.1:{port}/v1") for port in (8001, 8002))
    assert one.identity == two.identity == open_model("vllm/llama").identity == {"endpoint": "vllm", "model": "llama"}
    assert one.name == "vllm/llama"


def test_a_model_name_may_hold_slashes():
    model = open_model("vllm/meta-llama/Llama-3.1-8B")
    assert model.identity["model"] == "meta-llama/Llama-3.1-8B"


def test_whoever_shares_server_and_key_shares_a_limiter(monkeypatch):
    monkeypatch.setenv("A_API_KEY", "a")
    monkeypatch.setenv("B_API_KEY", "b")

    def group(name, variable):
        return open_model(f"openai-compatible/{name}", base_url="http://h/v1", api_key_env=variable).limit_group

    assert group("x", "A_API_KEY") == group("y", "A_API_KEY") != group("x", "B_API_KEY")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_opens_once_its_variables_are_set(name, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "https://adb-1.azuredatabricks.net/")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    if PRESETS[name].key_env:
        with pytest.raises(InputError, match=PRESETS[name].key_env):
            open_model(f"{name}/some-model")
        monkeypatch.setenv(PRESETS[name].key_env, KEY)
    model = open_model(f"{name}/some-model")
    assert model.name == f"{name}/some-model"
    assert "{" not in model.limit_group
    assert "net//" not in model.limit_group


def test_a_preset_whose_address_needs_a_variable_names_it(monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", KEY)
    with pytest.raises(InputError, match="DATABRICKS_HOST"):
        open_model("databricks/x")


def test_an_unknown_provider_is_refused_with_what_there_is():
    with pytest.raises(InputError, match=r"'nowhere'.*anthropic.*mine.*openai-compatible.*vllm"):
        open_model("nowhere/x", endpoints={"mine": Endpoint("mine", "http://h/v1")})


@pytest.mark.parametrize(
    ("name", "base_url", "says"),
    [
        ("gpt-4o", None, "provider/model"),
        ("openai-compatible/x", None, "needs a base_url"),
        ("openai-compatible/x", "localhost:8000", "not an http"),
        ("openai-compatible/x", "http://user:secret@host/v1", "must not hold a user name"),
    ],
)
def test_a_bad_name_or_address_is_refused(name, base_url, says):
    with pytest.raises(InputError, match=says) as caught:
        open_model(name, base_url=base_url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("openai/gpt", "OPENAI_API_KEY"), ("anthropic/c", "ANTHROPIC_API_KEY"), ("azure/d", "AZURE_OPENAI_API_KEY")],
)
def test_a_provider_without_its_key_is_refused_before_any_call(name, variable):
    with pytest.raises(InputError, match=variable):
        open_model(name)


def test_what_calls_nothing_needs_no_key():
    model = open_model("fireworks/x", require_key=False)
    failure = ask(model, ASK)
    assert failure.kind == "unauthorized"
    assert "FIREWORKS_API_KEY" in failure.detail


def test_with_a_base_url_the_presets_own_key_stays_at_home(server, monkeypatch):
    monkeypatch.setenv("TOGETHER_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.configure(keep=True)
    for name in ("together/x", "openai/x"):
        assert isinstance(ask(open_model(name, base_url=server.url), ASK), Reply)
        assert KEY not in str(sent_headers(server))


def test_with_a_base_url_anthropics_key_and_token_stay_at_home(server, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    server.configure(keep=True)
    assert isinstance(ask(open_model("anthropic/judge-x", base_url=server.url), ASK), Reply)
    assert KEY not in str(sent_headers(server))


def test_with_a_base_url_the_key_is_the_default_variable_or_the_declared_one(server, monkeypatch):
    server.configure(keep=True)
    monkeypatch.setenv("MARKSCHEME_API_KEY", "default-key")
    ask(open_model("openai-compatible/x", base_url=server.url), ASK)
    assert sent_headers(server)["authorization"] == "Bearer default-key"
    with pytest.raises(InputError, match="MY_KEY"):
        open_model("openai-compatible/x", base_url=server.url, api_key_env="MY_KEY")
    monkeypatch.setenv("MY_KEY", "declared-key")
    ask(open_model("openai-compatible/x", base_url=server.url, api_key_env="MY_KEY"), ASK)
    assert sent_headers(server)["authorization"] == "Bearer declared-key"


def test_an_endpoint_of_ones_own_brings_headers_limits_and_key(server, monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    server.configure(keep=True)
    own = Endpoint("mine", server.url, "GATEWAY_KEY", headers={"X-Team": "evals"}, limits=Limits(3, 60, None))
    model = open_model("mine/x", endpoints={"mine": own})
    assert model.limits == Limits(3, 60, None)
    ask(model, ASK)
    assert sent_headers(server)["authorization"] == f"Bearer {KEY}"
    assert sent_headers(server)["x-team"] == "evals"


def test_headers_of_an_endpoint_stay_behind_when_its_address_is_replaced(server):
    server.configure(keep=True)
    own = Endpoint("mine", "https://gateway.example/v1", headers={"X-Token": KEY})
    ask(open_model("mine/x", base_url=server.url, endpoints={"mine": own}), ASK)
    assert KEY not in str(sent_headers(server))


def key_command(tmp_path, text):
    script = tmp_path / "key.py"
    script.write_text(text)
    return f"{sys.executable} {script}"


def test_a_key_command_runs_again_on_a_401(server, tmp_path):
    counter = tmp_path / "count"
    command = key_command(
        tmp_path,
        f"import pathlib; p = pathlib.Path({str(counter)!r}); n = len(p.read_text()) if p.exists() else 0\n"
        "p.write_text('x' * (n + 1)); print(f'token-{n}')",
    )
    server.configure(keys=["token-1"])
    model = open_model("mine/x", endpoints={"mine": Endpoint("mine", server.url, key_command=command)})

    async def many():
        outcomes = await asyncio.gather(*(model.complete(ASK) for _ in range(5)))
        await model.close()
        return outcomes

    assert all(isinstance(outcome, Reply) for outcome in asyncio.run(many()))
    assert counter.read_text() == "xx"  # once for the first key, once for all who got a 401


def test_a_key_that_stays_wrong_is_renewed_once_only(server, tmp_path):
    server.configure(keys=["another"])
    own = Endpoint("mine", server.url, key_command=key_command(tmp_path, "print('wrong-key')"))
    failure = ask(open_model("mine/x", endpoints={"mine": own}), ASK)
    assert failure.kind == "unauthorized"
    assert server.stats()["received"] == 2
    assert "wrong-key" not in failure.detail


def test_a_key_command_that_fails_shows_nothing_it_printed(server, tmp_path):
    command = key_command(tmp_path, f"import sys; print({KEY!r}); print({KEY!r}, file=sys.stderr); sys.exit(3)")
    failure = ask(open_model("mine/x", endpoints={"mine": Endpoint("mine", server.url, key_command=command)}), ASK)
    assert failure.kind == "unauthorized"
    assert "exit status 3" in failure.detail
    assert KEY not in failure.detail


def test_a_key_is_shown_nowhere(server, monkeypatch):
    monkeypatch.setenv("MARKSCHEME_API_KEY", KEY)
    server.configure(keys=["another"])  # the server echoes the key that it refuses
    model = open_model("openai-compatible/x", base_url=server.url)
    failure = ask(model, ASK)
    secret = Secret("MARKSCHEME_API_KEY")
    assert failure.kind == "unauthorized"
    for text in (failure, model, secret, vars(model), model.identity, model.limit_group):
        assert KEY not in repr(text)
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_the_proxy_of_the_environment_is_used_and_its_exceptions(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example,127.0.0.1")
    assert proxy_for("https://api.fireworks.ai/v1") == "http://proxy:3128"
    assert proxy_for("https://inside.example/v1") is None
    assert proxy_for("http://127.0.0.1:8000/v1") is None


def test_calls_go_through_the_proxy(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.root)
    server.configure()
    # The mock is the proxy: a request for a host that does not exist arrives there.
    assert isinstance(ask(open_model("openai-compatible/x", base_url="http://no.such.host.example/v1"), ASK), Reply)


def test_the_thin_client_loads_no_provider_package():
    code = (
        "import sys; from markscheme.harness.models.catalog import open_model; open_model('vllm/x');"
        "heavy = {'openai', 'anthropic', 'httpx2', 'httpx', 'pandas', 'scipy', 'genai_prices', 'matplotlib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
