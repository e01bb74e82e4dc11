"""What a command says at its end."""


def test_failures_beyond_those_that_are_shown_are_counted(desk):
    desk.samples(8)
    (desk.folder / "half.csv").write_text("sample_id,answer\n" + "".join(f"s{n},Yes.\n" for n in range(3)))
    desk.exam["candidates"] = [{"name": "half", "model": "replay/half.csv"}]
    desk.save()
    _, out, _ = desk.command("run", "exam.yaml", "--no-report")
    assert "5 answers failed:\n  1 × not_recorded: the sheet half.csv has no answer for sample 's3'" in out
    assert "'s5'\n  … and 2 more\n" in out
