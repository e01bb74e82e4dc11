"""YAML keeps its line numbers, reads words as words, and turns every mistake into one problem."""

import pytest
from markscheme.harness.errors import ExamError
from markscheme.harness.yaml_file import YamlFile, dotted, load_yaml, mistake, validate
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = Field(default=1, strict=True, ge=1)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: str = ""
    parts: list[Inner] = []
    by_name: dict[str, Inner] = {}
    api_key: bool = False

    @model_validator(mode="after")
    def _check(self):
        if self.version == "cursed":
            raise mistake("is cursed; write another", "version")
        return self


def write(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(tmp_path, text):
    return load_yaml(write(tmp_path, text))


def complaints(tmp_path, text, model=Outer):
    with pytest.raises(ExamError) as caught:
        validate(load(tmp_path, text), model)
    return [str(p).removeprefix(f"{tmp_path}/") for p in caught.value.problems]


def refusal(tmp_path, text):
    with pytest.raises(ExamError) as caught:
        load(tmp_path, text)
    return str(caught.value).removeprefix(f"{tmp_path}/")


def test_every_path_has_the_line_where_it_is_written(tmp_path):
    file = load(tmp_path, "# comment\nparts:\n  - name: a\n    size: 2\n\n  - {name: b}\nversion: |\n  long\n  text\n")
    assert file.line(()) == 2
    assert file.line(("parts",)) == 2
    assert file.line(("parts", 0, "size")) == 4
    assert file.line(("parts", 1, "name")) == 6
    assert file.line(("version",)) == 7


def test_a_path_that_is_not_there_has_the_line_of_what_is_around_it(tmp_path):
    file = load(tmp_path, "a: 1\nparts:\n  - name: a\n")
    assert file.line(("parts", 0, "missing", "deeper")) == 3
    assert file.problem(("parts", 0, "missing"), "is missing").where == f"{tmp_path}/x.yaml:3"


def test_data_without_a_file_has_no_lines(tmp_path):
    file = YamlFile(tmp_path / "x.yaml", {"a": 1}, shown="exam x")
    assert str(file.problem(("a", 0), "is wrong")) == "exam x a[0]: is wrong"


def test_words_that_older_yaml_takes_for_something_else_stay_words(tmp_path):
    data = load(tmp_path, "no: on\nyes: off\ndate: 2024-01-01\ncode: 012\ntime: 1:30\n1: x\n").data
    assert data == {"no": "on", "yes": "off", "date": "2024-01-01", "code": "012", "time": "1:30", "1": "x"}


def test_numbers_truth_and_nothing_are_typed(tmp_path):
    data = load(tmp_path, "a: [1, -2, 1.5, 1e-3, .5, true, False, null, ~, '1', 0x10]\nb:\n").data
    assert data == {"a": [1, -2, 1.5, 0.001, 0.5, True, False, None, None, "1", 16], "b": None}


def test_anchors_and_merge_keys_work_and_keep_the_lines_of_both_places(tmp_path):
    file = load(tmp_path, "base: &b\n  size: 1\n  name: x\nparts:\n  - <<: *b\n    name: y\n")
    assert file.data["parts"] == [{"name": "y", "size": 1}]
    assert file.line(("parts", 0, "name")) == 6
    assert file.line(("parts", 0, "size")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3 a: the key is written twice, first in line 1; keep one"),
        ("a:\n  - b: 1\n    b: 2\n", "x.yaml:3 a[0].b: the key is written twice, first in line 2; keep one"),
        ("a: 1\n? [b]\n: 2\n", "x.yaml:2: a key is a list"),
        ("a: 1\nb: !!python/object/apply:os.system [x]\n", "x.yaml:2 b: the tag"),
        ("a: 1\nb: !env SECRET\n", "x.yaml:2 b: the tag '!env' is not supported"),
        ("a: &x\n  b: *x\n", "x.yaml:1 a.b: an alias contains itself"),
        ("a: 1\nb: [1,\n", "x.yaml:3: is not YAML: while parsing a flow node"),
        ("a:\n\t- b\n", "indent with spaces"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: is not YAML: expected a single document"),
        ("# nothing\n", "x.yaml:1: is empty"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(tmp_path, text, expected):
    assert expected in refusal(tmp_path, text)


def test_aliases_that_expand_without_bounds_are_refused(tmp_path):
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases expand without bounds" in refusal(tmp_path, "\n".join(["l0: &l0 [x]", *levels]))
    merges = [f"l{i}: &l{i}\n  <<: [{', '.join([f'*l{i - 1}'] * 8)}]" for i in range(1, 9)]
    assert "aliases expand without bounds" in refusal(tmp_path, "\n".join(["l0: &l0 {x: 1}", *merges]))


def test_a_missing_file_names_what_lies_beside_it(tmp_path):
    write(tmp_path, "a: 1\n")
    with pytest.raises(ExamError, match=r"y\.yaml: cannot be read: No such file .* has x\.yaml"):
        load_yaml(tmp_path / "y.yaml")


def test_a_file_that_is_not_utf8_is_refused_by_name(tmp_path):
    (tmp_path / "x.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(ExamError, match="is not UTF-8"):
        load_yaml(tmp_path / "x.yaml")


def test_an_unknown_key_suggests_the_nearest_and_lists_those_of_its_section(tmp_path):
    assert complaints(tmp_path, "parts:\n  - name: a\n    siez: 2\n") == [
        "x.yaml:3 parts[0].siez: unknown key; did you mean 'size'? Known here: name, size"
    ]
    assert complaints(tmp_path, "by_name:\n  some:\n    name: a\n    zzz: 2\n") == [
        "x.yaml:4 by_name.some.zzz: unknown key. Known here: name, size"
    ]


def test_every_mistake_is_one_problem_in_the_order_of_the_file(tmp_path):
    text = "parts:\n  - size: x\n  - name: a\n    size: 0\n  - 7\nversion: [1]\nby_name: none\n"
    assert complaints(tmp_path, text) == [
        "x.yaml:2 parts[0].name: is missing",
        "x.yaml:2 parts[0].size: 'x' is wrong: wanted a whole number",
        "x.yaml:4 parts[1].size: 0 is wrong: wanted at least 1",
        "x.yaml:5 parts[2]: 7 is wrong: wanted a section of 'key: value' lines",
        "x.yaml:6 version: [1] is wrong: wanted text",
        "x.yaml:7 by_name: 'none' is wrong: wanted a section of 'key: value' lines",
    ]


def test_a_validator_names_the_field_that_it_complains_about(tmp_path):
    assert complaints(tmp_path, "parts: []\nversion: cursed\n") == ["x.yaml:2 version: is cursed; write another"]


def test_where_text_is_wanted_a_number_counts_as_it_is_written(tmp_path):
    outer = validate(load(tmp_path, "version: 1.10\nparts:\n  - name: 007\n  - name: true\n"), Outer)
    assert (outer.version, [part.name for part in outer.parts]) == ("1.10", ["007", "true"])


def test_the_value_of_a_key_is_never_printed(tmp_path):
    assert "sk-123" not in complaints(tmp_path, "api_key: sk-123\n")[0]


def test_long_values_are_cut(tmp_path):
    assert len(complaints(tmp_path, f"by_name: {'x' * 500}\n")[0]) < 200


def test_paths_are_written_as_people_write_them():
    assert dotted(("a", 0, "b", 1)) == "a[0].b[1]"
