"""The tests' own conditions: no key of the real environment reaches them, and they reach nothing but loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
PROBE = """
import os, socket
import pytest

def reach(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(0.2)
        return client.connect_ex(address) if address[1] == 2 else client.connect(address)

def test_the_environment_is_clean():
    assert not [n for n in os.environ if "OPENAI" in n or n.upper().endswith("PROXY") or n.startswith("MARKSCHEME_B")]
    assert os.environ["MARKSCHEME_PUBLISHED_DATA"] == "/data"
    assert (os.environ["HF_HUB_OFFLINE"], os.environ["MPLBACKEND"]) == ("1", "Agg")

def test_loopback_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach(server.getsockname())

def test_leaving_is_seen():
    with pytest.raises(ConnectionRefusedError):
        reach(("192.0.2.1", 1))

def test_leaving_in_another_way_is_seen():
    with pytest.raises(ConnectionRefusedError):
        reach(("192.0.2.1", 2))
"""


def test_keys_are_taken_away_and_a_test_that_leaves_the_machine_fails(tmp_path):
    (tmp_path / "test_probe.py").write_text(PROBE, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(TESTS),
        "OPENAI_API_KEY": "sk-real",
        "OPENAI_BASE_URL": "https://example.invalid",
        "https_proxy": "http://example.invalid",
        "MARKSCHEME_BUDGET_USD": "1",
        "MARKSCHEME_PUBLISHED_DATA": "/data",
    }
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-rA", "test_probe.py"]
    shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout
    assert "2 failed, 2 passed" in shown, shown
    assert shown.count("\nthis test tried to reach 192.0.2.1:") == 2, shown
    assert "PASSED test_probe.py::test_the_environment_is_clean" in shown
    assert "PASSED test_probe.py::test_loopback_is_reached" in shown
