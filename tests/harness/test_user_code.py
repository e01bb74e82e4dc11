"""Code of the user's own, by its reference."""

from markscheme.harness.user_code import load


def test_two_exams_may_each_have_an_app_of_the_same_name(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "namesake.py").write_text(f"def answer(sample):\n    return {name!r}\n")
    said = [load("namesake:answer", tmp_path / name).target(None) for name in ("one", "two", "one")]
    assert said == ["one", "two", "one"]


def test_a_module_is_loaded_once_for_all_that_name_it(tmp_path):
    (tmp_path / "counted.py").write_text("made = object()\n\n\ndef answer(sample):\n    return made\n")
    assert load("counted:answer", tmp_path).target(None) is load("counted:answer", tmp_path).target(None)
