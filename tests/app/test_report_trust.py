"""The report of a run with labels says how far its judge agrees with people."""

import csv
import json


def pages(desk):
    code, _, err = desk.command("report", "latest", "--output", str(desk.folder / "pages"))
    assert code == 0, err
    return [(desk.folder / "pages" / name).read_text() for name in ("report.html", "report.md")]


def write_labels(desk, scores):
    path = desk.folder / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample_id", "candidate", "trial", "criterion", "score", "annotator"])
        writer.writerows(
            (sample, candidate, 0, criterion, score, "ann") for (sample, candidate, criterion), score in scores
        )
    return path


def test_a_judge_is_unqualified_until_labels_say_how_far_it_agrees(desk):
    desk.samples(12)
    desk.run()
    for page in pages(desk):
        assert "Unqualified" in page
    _, out, _ = desk.command("export", "grades", "--format", "jsonl")
    grades = [json.loads(line) for line in out.splitlines()]
    scores = [((g["sample_id"], g["candidate"], g["criterion"]), int(g["score"])) for g in grades]
    code, _, err = desk.command("judge", "align", "--labels", str(write_labels(desk, scores)))
    assert code == 0, err
    for page in pages(desk):
        assert "Unqualified" not in page
        assert "Against ann on 12 answers" in page
        assert "100 %" in page
