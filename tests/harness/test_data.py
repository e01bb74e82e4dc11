"""Data sets in: every format, every mistake with file and line, hashes, clusters and random subsets."""

import csv
import json
import random

import pytest
from markscheme.harness.data import Subset, load_dataset, read_rows
from markscheme.harness.errors import DataError, MissingExtra
from markscheme.harness.exam import DatasetSpec

PNG = b"\x89PNG\r\n\x1a\n not really"


def jsonl(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(path, limit=None, seed=None, **spec):
    return load_dataset(DatasetSpec(path=path, **spec), limit, seed)


def samples(tmp_path, *rows, **spec):
    return load(jsonl(tmp_path / "d.jsonl", *rows), **spec).samples


def complaints(tmp_path, *rows, **spec):
    with pytest.raises(DataError) as caught:
        samples(tmp_path, *rows, **spec)
    return str(caught.value).replace(f"{tmp_path}/", "").split("\n")


def test_a_row_becomes_a_sample_and_unknown_columns_its_metadata(tmp_path):
    (sample,) = samples(
        tmp_path,
        {
            "id": "a",
            "question": "Why?",
            "context": ["p1", "p2"],
            "reference": "Because.",
            "relevant": {"doc": 2, "other": 0},
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_calls": [{"name": "f"}],
            "safety": {"prompt": "unsafe", "categories": ["S3"]},
            "cluster": "doc",
            "tags": ["t"],
            "level": 3,
            "metadata": {"author": "me"},
        },
    )
    assert (sample.id, sample.question, sample.context, sample.reference) == ("a", "Why?", ("p1", "p2"), "Because.")
    assert (sample.relevant, sample.cluster, sample.tags) == ({"doc": 2, "other": 0}, "doc", ("t",))
    assert (sample.tools, sample.tool_calls, sample.safety) == (
        ({"type": "function", "function": {"name": "f"}},),
        ({"name": "f", "arguments": {}},),
        {"prompt": "unsafe", "categories": ["S3"]},
    )
    assert sample.metadata == {"level": 3, "author": "me"}


@pytest.mark.parametrize(
    ("safety", "said"),
    [
        ({"prompt": "bad"}, "prompt: 'bad' is neither 'safe' nor 'unsafe'"),
        ({"user": "safe"}, "'user' is not one of prompt, response, categories, taxonomy"),
        ({"prompt": "safe", "taxonomy": 3}, "taxonomy: 3 is not the name of a rubric, like 'safety'"),
        ({"prompt": "unsafe", "categories": "S3"}, "categories: 'S3' is not a list of codes, like [S3, S17]"),
        (
            {"prompt": "safe", "categories": ["S3"]},
            "categories: ['S3'] stand beside nothing unsafe; say which is: prompt, response",
        ),
    ],
)
def test_a_safety_label_that_cannot_be_is_refused(safety, said, tmp_path):
    assert complaints(tmp_path, {"id": "a", "question": "Why?", "safety": safety}) == [f"d.jsonl:1 safety: {said}"]


def test_what_is_absent_is_absent(tmp_path):
    (sample,) = samples(tmp_path, {"id": "a", "question": "q", "context": None, "reference": None, "tags": None})
    assert (sample.context, sample.reference, sample.relevant, sample.tags, sample.metadata) == ((), None, {}, (), {})


def test_a_context_may_be_text_and_relevant_a_list(tmp_path):
    (sample,) = samples(tmp_path, {"question": "q", "context": "one", "relevant": ["d", 7], "reference": 42})
    assert (sample.context, sample.relevant, sample.reference) == (("one",), {"d": 1, "7": 1}, "42")


def test_messages_and_turns_are_read(tmp_path):
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "r", "tool_call_id": "1"},
    ]
    first, second = samples(
        tmp_path, {"id": "a", "messages": history}, {"id": "b", "turns": ["one", [{"text": "two"}]]}
    )
    assert list(first.messages) == history
    assert second.turns == ("one", ({"type": "text", "text": "two"},))


def test_rows_without_any_id_are_numbered(tmp_path):
    assert [s.id for s in samples(tmp_path, {"question": "a"}, {"question": "b"})] == ["1", "2"]


def test_numeric_ids_are_read_as_text(tmp_path):
    assert [s.id for s in samples(tmp_path, {"id": 7, "question": "a"}, {"id": 8.0, "question": "b"})] == ["7", "8"]


def test_each_mistake_has_its_line_and_column(tmp_path):
    found = complaints(
        tmp_path,
        {"id": "a", "question": ""},
        {"id": "b", "question": 5},
        {"id": "c", "question": "q", "context": {"x": 1}},
        {"id": "d", "question": "q", "relevant": {"x": -1}},
        {"id": "e", "messages": [{"role": "robot", "content": "x"}]},
        {"id": "f", "question": "q", "turns": ["t"]},
        {"id": "g", "turns": ["one", " "]},
        {"id": True, "question": "q"},
        {"id": "i", "question": "q", "tags": [1]},
        {"id": "j", "question": "q", "reference": ["a"]},
    )
    assert found == [
        "d.jsonl:1 question: is empty or missing, and there are no messages or turns",
        "d.jsonl:2 question: 5 is neither text nor a list of parts ({text: …}, {image: path})",
        "d.jsonl:3 context: {'x': 1} is neither text nor a list of texts",
        "d.jsonl:4 relevant: 'x': -1 is not a whole number of 0 or more",
        "d.jsonl:5 messages[0]: the role 'robot' is not one of system, developer, user, assistant, tool",
        "d.jsonl:6 question: stands beside turns; put it first among the turns, or leave one of the two out",
        "d.jsonl:7 turns[1]: is empty",
        "d.jsonl:8 id: True is neither text nor a whole number",
        "d.jsonl:9 tags: 1 in the list is not text",
        "d.jsonl:10 reference: ['a'] is not text",
    ]


def test_ids_are_unique_and_all_there_or_none(tmp_path):
    assert complaints(
        tmp_path, {"id": "a", "question": "q"}, {"id": "b", "question": "q"}, {"id": "a", "question": "q"}
    ) == ["d.jsonl:3 id: 'a' stands in line 1 already"]
    assert complaints(tmp_path, {"id": "a", "question": "q"}, {"question": "q"}) == [
        "d.jsonl:2 id: is empty or missing, and other rows have one"
    ]


def test_at_most_twenty_problems_are_listed(tmp_path):
    found = complaints(tmp_path, *({"id": str(i), "question": ""} for i in range(25)))
    assert (len(found), found[-1]) == (21, "… and 5 more")


def test_a_data_set_without_rows_is_refused(tmp_path):
    assert complaints(tmp_path) == ["d.jsonl: holds no rows"]


def test_columns_are_mapped_and_what_was_in_their_place_is_kept(tmp_path):
    row = {"prompt": "q", "gold": "r", "question": "the original"}
    (sample,) = samples(tmp_path, row, columns={"question": "prompt", "reference": "gold"})
    assert (sample.question, sample.reference, sample.metadata) == ("q", "r", {"question": "the original"})


def test_a_mapped_column_may_be_absent_in_some_rows_but_not_in_all(tmp_path):
    rows = ({"q": "a", "gold": "r"}, {"q": "b"})
    first, second = samples(tmp_path, *rows, columns={"question": "q", "reference": "gold"})
    assert (first.reference, second.reference) == ("r", None)
    (found,) = complaints(tmp_path, *rows, columns={"question": "q", "reference": "golden"})
    assert found == "d.jsonl: columns: {reference: golden} names what no row has; the columns are q, gold"


def test_a_row_without_a_question_names_the_columns_that_could_be_mapped(tmp_path):
    assert "its columns are prompt, gold (map one with columns:" in complaints(tmp_path, {"prompt": "x", "gold": 1})[0]


def test_the_hash_of_a_sample_covers_what_is_asked_and_judged_but_not_its_place(tmp_path):
    base = {"id": "a", "question": "q", "reference": "r", "context": ["c"], "note": 1}
    variants = [
        {**base, "id": "b", "cluster": "x", "tags": ["t"]},
        {**base, "id": "c", "reference": "other"},
        {**base, "id": "d", "note": 2},
        {**base, "id": "e", "context": ["c", "d"]},
    ]
    same, *others = (s.sha256 for s in samples(tmp_path, base, *variants))
    assert others[0] == same
    assert len({same, *others[1:]}) == 4


def test_the_hash_of_the_set_changes_with_every_sample_cluster_and_order(tmp_path):
    rows = [{"id": str(i), "question": f"q{i}", "cluster": "c"} for i in range(3)]
    path = tmp_path / "d.jsonl"
    hashes = {
        load(jsonl(path, *variant)).sha256
        for variant in (rows, rows[::-1], rows[:2], [{**rows[0], "cluster": "x"}, *rows[1:]])
    }
    assert len(hashes) == 4
    assert load(jsonl(path, *rows)).sha256 in hashes


def test_samples_that_ask_the_same_share_a_cluster_unless_one_is_given(tmp_path):
    path = jsonl(
        tmp_path / "d.jsonl",
        {"id": "a", "question": "same "},
        {"id": "b", "question": "other"},
        {"id": "c", "question": "same", "reference": "another"},
        {"id": "d", "question": "given"},
        {"id": "e", "question": "given", "cluster": "doc"},
        {"id": "f", "question": "same", "cluster": "of its own"},
    )
    dataset = load(path)
    clusters = {s.id: s.cluster for s in dataset.samples}
    assert clusters == {"a": "of its own", "b": "b", "c": "of its own", "d": "doc", "e": "doc", "f": "of its own"}
    assert dataset.notes == ("5 samples ask what another one asks too: they share a cluster",)


def test_samples_that_ask_the_same_image_and_words_share_a_cluster(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.png").write_bytes(PNG)
    (tmp_path / "c.png").write_bytes(PNG + b"!")
    rows = [{"id": n, "question": [{"text": "What?"}, {"image": f"{n}.png"}]} for n in "abc"]
    assert [s.cluster for s in samples(tmp_path, *rows)] == ["a", "a", "c"]


def test_an_image_is_hashed_by_content_and_found_beside_the_file(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.PNG").write_bytes(PNG)
    (tmp_path / "img" / "b.jpg").write_bytes(PNG)
    first, second = samples(
        tmp_path,
        {"id": "1", "question": ["What?", {"image": "img/a.PNG"}]},
        {"id": "2", "turns": [[{"type": "image", "path": "img/b.jpg"}]]},
    )
    text, image = first.question
    assert text == {"type": "text", "text": "What?"}
    assert (image["type"], image["media_type"], image["path"]) == (
        "image",
        "image/png",
        str(tmp_path / "img" / "a.PNG"),
    )
    assert image["sha256"] == second.turns[0][0]["sha256"]
    assert second.turns[0][0]["media_type"] == "image/jpeg"


@pytest.mark.parametrize(
    "row",
    [
        lambda parts: {"question": parts},
        lambda parts: {"turns": ["first", parts]},
        lambda parts: {"messages": [{"role": "user", "content": parts}]},
    ],
)
def test_the_hash_of_a_sample_follows_its_image_and_not_where_it_lies(tmp_path, row):
    hashes = []
    for folder, content in (("x", PNG), ("y", PNG), ("z", PNG + b"!")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.png").write_bytes(content)
        hashes.append(samples(tmp_path / folder, row([{"image": f"{folder}.png"}]))[0].sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_an_image_that_is_missing_or_of_another_kind_is_a_problem(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    found = complaints(
        tmp_path,
        {"question": [{"image": "gone.png"}]},
        {"question": [{"image": "a.txt"}]},
        {"question": [{"type": "image_url", "image_url": {"url": "http://x"}}]},
    )
    assert found[0].startswith("d.jsonl:1 question: the image 'gone.png' cannot be read: No such file")
    assert found[1] == "d.jsonl:2 question: the image 'a.txt' is not one of .gif, .jpeg, .jpg, .png, .webp"
    assert "write {text: …} or {image: path of a file}" in found[2]


def many(tmp_path, n=100):
    return jsonl(tmp_path / "d.jsonl", *({"id": str(i), "question": f"q{i}"} for i in range(n)))


def test_a_limit_takes_a_seeded_random_subset_in_the_order_of_the_file(tmp_path):
    path = many(tmp_path)
    drawn = load(path, limit=10, seed=1)
    ids = [int(s.id) for s in drawn.samples]
    assert drawn.subset == Subset(10, 100, 1)
    assert ids == sorted(ids) != list(range(10))
    assert [s.id for s in load(path, limit=10, seed=1).samples] == [s.id for s in drawn.samples]
    assert [s.id for s in load(path, limit=10, seed=2).samples] != [s.id for s in drawn.samples]


def test_a_smaller_subset_is_part_of_a_larger_one(tmp_path):
    path = many(tmp_path)
    small, large = ({s.id for s in load(path, limit=n).samples} for n in (10, 40))
    assert small < large


def test_subsets_are_drawn_without_favour(tmp_path):
    path = many(tmp_path, 20)
    counts = [0] * 20
    for seed in range(300):
        for sample in load(path, limit=5, seed=seed).samples:
            counts[int(sample.id)] += 1
    assert min(counts) > 45
    assert max(counts) < 105


def test_the_commands_limit_and_seed_replace_the_exams(tmp_path):
    path = many(tmp_path)
    assert load(path, **{"limit": None}).subset is None
    spec = DatasetSpec(path=path, limit=10, seed=5)
    assert load_dataset(spec).subset == Subset(10, 100, 5)
    assert load_dataset(spec, limit=20, seed=0).subset == Subset(20, 100, 0)
    assert load_dataset(spec, limit=200).subset is None


def test_json_lines_may_have_blank_lines_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n  \n{"a": "\xc3\xa9"}')
    assert [(row.line, row.data) for row in read_rows(path)] == [(1, {"a": 1}), (4, {"a": "é"})]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("d.jsonl", '{"a": 1}\n{"a": \n', "d.jsonl:2: is not JSON"),
        ("d.jsonl", "[1]\n", "d.jsonl:1: [1] is not an object"),
        ("d.json", '[{"a": 1},\n {"a": }]', "d.json:2: is not JSON"),
        ("d.json", '[{"a": 1}\n {"a": 2}]', "d.json:2: is not JSON: wanted ',' or ']'"),
        ("d.json", '[{"a": 1},\n 7]', "d.json:2: 7 is not an object"),
        ("d.json", '[{"a": 1},\n', "d.json:2: is not JSON"),
        ("d.json", '[{"a": NaN}]', "NaN is no number of JSON"),
        ("d.json", '{"a": 1}\n{"a": 2}', "one object a line is named .jsonl"),
        ("d.csv", "a,b\n1,2\n1,2,3\n", "d.csv:3: has 3 cells where the header has 2"),
        ("d.csv", 'a,b\n1,2\n"x\ny"z,2\n', "d.csv:3: is not CSV"),
        ("d.csv", 'a,b\n1,"never closed\n', "d.csv:2: is not CSV"),
        ("d.csv", "a,b,a\n1,2,3\n", "d.csv:1: the column 'a' is there twice"),
        ("d.csv", "a;b\n1;2\n", "d.csv:1: columns are separated by ';'"),
        ("d.xlsx", "", "the suffix '.xlsx' is not known; wanted .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_line(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_rows(tmp_path / name)
    assert expected in str(caught.value)


@pytest.mark.parametrize("name", ["d.jsonl", "d.json", "d.csv"])
def test_a_file_that_is_not_utf8_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes('[{"a": "é"}]\n'.encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_rows(tmp_path / name)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_rows(tmp_path / "gone.csv")


def test_the_rows_of_a_json_list_have_their_lines(tmp_path):
    (tmp_path / "d.json").write_text('[\n  {"a": 1,\n   "b": "x\\n"},\n\n  {"a": 2}, {"a": 3}\n]\n')
    assert [(row.line, row.data["a"]) for row in read_rows(tmp_path / "d.json")] == [(2, 1), (5, 2), (5, 3)]
    (tmp_path / "e.json").write_text("[]")
    assert read_rows(tmp_path / "e.json") == []


def test_csv_cells_are_text_with_the_line_where_they_start(tmp_path):
    path = tmp_path / "d.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([["", "id", "text"], [0, "007", "two\nlines"], [], [1, "1.10", "x, y"]])
    assert [(row.line, row.data) for row in read_rows(path)] == [
        (2, {"id": "007", "text": "two\nlines"}),
        (5, {"id": "1.10", "text": "x, y"}),
    ]


def test_long_cells_and_tabs_are_read(tmp_path):
    (tmp_path / "d.tsv").write_text("id\ttext\n1\t" + "x" * 200_000 + "\n")
    assert len(read_rows(tmp_path / "d.tsv")[0].data["text"]) == 200_000


def test_a_csv_becomes_samples_with_json_in_cells_and_empty_cells_absent(tmp_path):
    path = tmp_path / "d.csv"
    rows = [
        ["id", "question", "context", "reference", "relevant", "tags", "turns", "extra"],
        ["007", "5", "plain [text]", "", '{"d": 2}', "a; b,c", "", ""],
        ["8", "", '["p1", "p2"]', "r", "", "", '["t1", "t2"]', "e"],
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    first, second = load(path).samples
    assert (first.id, first.question, first.context, first.reference) == ("007", "5", ("plain [text]",), None)
    assert (first.relevant, first.tags, first.metadata) == ({"d": 2}, ("a", "b", "c"), {"extra": ""})
    assert (second.context, second.turns, second.reference) == (("p1", "p2"), ("t1", "t2"), "r")


def test_broken_json_in_a_cell_has_its_line(tmp_path):
    (tmp_path / "d.csv").write_text("question,relevant\nq,{d: 1}\n")
    with pytest.raises(DataError, match=r"d\.csv:2 relevant: '\{d: 1\}' is not JSON"):
        load(tmp_path / "d.csv")


def test_parquet_keeps_types_and_turns_nothing_and_dates_into_json(tmp_path):
    import datetime

    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table(
        {
            "id": [1, 2],
            "question": ["a", "b"],
            "context": [["p"], None],
            "when": [datetime.date(2026, 1, 2), None],
            "score": [float("nan"), 1.5],
            "relevant": pa.array([[("d", 2)], []], pa.map_(pa.string(), pa.int64())),
        }
    )
    parquet.write_table(table, tmp_path / "d.parquet")
    first, second = load(tmp_path / "d.parquet").samples
    assert (first.id, first.context, first.relevant) == ("1", ("p",), {"d": 2})
    assert first.metadata == {"when": "2026-01-02", "score": None}
    assert (second.context, second.relevant, second.metadata) == ((), {}, {"when": None, "score": 1.5})
    assert [row.line for row in read_rows(tmp_path / "d.parquet")] == [1, 2]


def test_binary_columns_and_broken_parquet_files_are_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pa.table({"question": ["a"], "image": pa.array([{"bytes": b"x"}])})
    parquet.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(DataError, match="column 'image' holds binary data"):
        load(tmp_path / "d.parquet")
    (tmp_path / "e.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        load(tmp_path / "e.parquet")


def test_parquet_without_its_package_names_the_extra(tmp_path, monkeypatch):
    import sys

    (tmp_path / "d.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"markscheme\[parquet\]"):
        read_rows(tmp_path / "d.parquet")


def saved_to_disk(folder, *shards):
    """A folder as Hugging Face's ``Dataset.save_to_disk`` writes it: Arrow streams, named in state.json."""
    pa = pytest.importorskip("pyarrow")
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{len(shards):05}.arrow" for i in range(len(shards))]
    for name, questions in zip(names, shards, strict=True):
        table = pa.table({"question": questions})
        with pa.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def test_a_hugging_face_folder_is_read_shard_by_shard(tmp_path):
    dataset = load(saved_to_disk(tmp_path / "hf", ["a", "b"], ["c"]))
    assert [(s.id, s.question) for s in dataset.samples] == [("1", "a"), ("2", "b"), ("3", "c")]
    assert dataset.name == "hf"


def test_of_several_splits_one_must_be_named(tmp_path):
    for split in ("train", "test"):
        saved_to_disk(tmp_path / "hf" / split, [split])
    (tmp_path / "hf" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(DataError, match=r"holds the splits train, test; name one of them, like .*hf/test"):
        load(tmp_path / "hf")
    (tmp_path / "hf" / "dataset_dict.json").write_text('{"splits": ["test"]}')
    assert load(tmp_path / "hf").samples[0].question == "test"


def test_a_folder_has_its_name_and_version_from_its_card(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    jsonl(folder / "samples.jsonl", {"question": "q"})
    assert (load(folder).name, load(folder).version) == ("set", "")
    (folder / "card.yaml").write_text("name: my_set\nversion: 3\nmade: by hand\n")
    assert (load(folder).name, load(folder).version) == ("my_set", "3")
    (folder / "samples.jsonl").write_text('{"question": ""}\n')
    with pytest.raises(DataError, match=r"set/samples\.jsonl:1 question"):
        load(folder)


def test_any_other_folder_is_refused_with_what_would_do(tmp_path):
    with pytest.raises(DataError, match=r"folder without samples\.jsonl"):
        load(tmp_path)


def test_a_file_has_its_name_from_itself(tmp_path):
    dataset = load(many(tmp_path, 1))
    assert (dataset.name, dataset.version, dataset.path) == ("d", "", tmp_path / "d.jsonl")


def test_our_data_set_loads_with_its_documents_as_clusters(tmp_path):
    from markscheme.harness.exam import exam_from_dict

    spec = exam_from_dict({"dataset": "docs_qa", "candidates": [{"model": "baseline/lead"}]}, tmp_path, "e").dataset
    dataset = load_dataset(spec)
    assert (dataset.name, dataset.version) == ("docs_qa", "1")
    assert len(dataset.samples) >= 80
    assert all(s.reference and s.context and s.relevant and s.cluster != s.id for s in dataset.samples)


def test_the_order_of_keys_in_a_row_does_not_change_its_hash(tmp_path):
    row = {"id": "a", "question": "q", "b": 1, "a": {"y": 1, "x": 2}}
    keys = list(row)
    random.Random(3).shuffle(keys)
    (first,) = samples(tmp_path, row)
    (second,) = samples(tmp_path, {key: row[key] for key in keys})
    assert first.sha256 == second.sha256
