"""What a command says at its end."""


def sheets(desk, rows):
    (desk.folder / "half.csv").write_text("sample_id,answer,status,detail\n" + "".join(rows))
    (desk.folder / "other.csv").write_text("sample_id,answer\n" + "".join(f"s{n},Yes.\n" for n in range(1, 8)))
    names = ("half", "other")
    desk.exam["candidates"] = [{"name": name, "model": f"replay/{name}.csv"} for name in names]
    desk.samples(8)
    desk.save()


def test_failures_beyond_those_that_are_shown_are_counted(desk):
    sheets(desk, [f"s{n},,timeout,after {n} s\n" for n in range(8)])
    _, out, _ = desk.command("run", "exam.yaml", "--no-report")
    assert "8 answers failed:\n  1 × timeout: after 0 s\n" in out
    assert "after 2 s\n  … and 5 more\n" in out


def test_what_a_sheet_does_not_hold_is_told_apart_from_failures(desk):
    sheets(desk, [f"s{n},Yes.,,\n" for n in range(3)])
    _, out, _ = desk.command("run", "exam.yaml", "--no-report")
    assert "failed" not in out
    assert "6 answers are not recorded, 5 of half, 1 of other; one: the sheet half.csv has no answer for sample" in out
