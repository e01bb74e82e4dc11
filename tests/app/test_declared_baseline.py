"""A baseline that an exam declares, or that is named for a report."""

import json
from pathlib import Path

from markscheme.app.run import open_run


def report(desk, *words):
    code, out, err = desk.command("report", "--workspace", str(desk.folder / ".markscheme"), "--json", *words)
    return code, out, err


def page(out):
    return Path(json.loads(out.splitlines()[-1])["paths"][1]).read_text(encoding="utf-8")


def test_a_report_compares_with_the_exams_baseline_or_the_one_that_is_named(desk):
    desk.exam["candidates"].append({**desk.exam["candidates"][0], "name": "other", "model": "openai-compatible/cand-2"})
    first = desk.run()["run"]
    assert "All are compared with" not in page(report(desk)[1])
    assert "All are compared with the baseline other alone" in page(report(desk, "--baseline", "other")[1])
    desk.exam["baseline"] = "cand"
    assert desk.run()["run"] == first, "a baseline changes nothing that is run"
    assert open_run(workspace=desk.folder / ".markscheme").data.info.config["baseline"] == "cand"
    assert "All are compared with the baseline cand alone" in page(report(desk)[1])


def test_a_baseline_that_is_no_candidate_is_refused(desk):
    desk.run()
    code, _, err = report(desk, "--baseline", "cant")
    assert code == 2
    assert "--baseline 'cant' is no candidate of run" in err
    assert "there are cand" in err
