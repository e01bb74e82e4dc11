"""`markscheme serve-bench` on a real server: llama.cpp with four slots saturates, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parents[2] / "examples" / "serving_tiny.yaml"


@pytest.mark.server
def test_from_four_users_on_four_slots_more_users_only_wait(desk, tiny_server):
    desk.exam = yaml.safe_load(EXAMPLE.read_text())
    desk.exam["candidates"][0] |= {"model": f"openai-compatible/{tiny_server.model}", "base_url": tiny_server.url}
    desk.exam["serving"] |= {"loads": [{"closed": [1, 4, 16]}], "repeats": 1}
    code, out, err = desk.command("serve-bench", str(desk.save()), "--json", "--quick")
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    one, four, sixteen = result["cells"]
    assert [cell["failures"] for cell in result["cells"]] == [{}] * 3, "also where it closes connections after a stream"
    first = [cell["ttft_p50_s"]["value"] for cell in (one, four, sixteen)]
    assert first[0] < first[1] < first[2]
    served = [cell["requests_per_s"]["value"] for cell in (four, sixteen)]
    assert served[1] < 2 * served[0], "four times the users, and nothing like four times the replies"
    assert sixteen["e2e_p50_s"]["value"] > 2 * four["e2e_p50_s"]["value"]
    assert "waits" in Path(result["report"]).read_text() or "wait" in Path(result["report"]).read_text()
