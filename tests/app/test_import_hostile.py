"""Files that are none, that lie, or that mean harm: each is refused in a sentence, and nothing is unpacked to disk."""

import json
import struct
import zipfile
from pathlib import Path

import pytest
from markscheme.app.importing import json_files
from markscheme.app.importing.inspect_logs import read_inspect
from markscheme.app.importing.lm_eval import read_lm_eval
from markscheme.app.importing.promptfoo import read_promptfoo
from markscheme.harness.errors import DataError, InputError

EVAL = Path(__file__).parents[1] / "imports" / "inspect" / "capitals.eval"


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("read", "name", "content", "said"),
    [
        (read_inspect, "x.eval", "hello", "this is no Inspect log: a .eval file is a zip archive"),
        (read_inspect, "x.json", "hello", "this is no Inspect log: it is not JSON"),
        (read_inspect, "x.json", {"samples": []}, "this is no Inspect log: it has no eval section"),
        (read_inspect, "x.json", {"eval": {}}, "holds no samples"),
        (read_inspect, "x.json", {"eval": {}, "samples": [3]}, r"samples\[0\]: is no sample of Inspect"),
        (read_promptfoo, "x.json", "hello", "this is no results file of promptfoo: it is not JSON"),
        (read_promptfoo, "x.json", [1], "this is no results file of promptfoo: it has no results.results"),
        (read_promptfoo, "x.json", {"results": {"results": []}}, "holds no results"),
        (read_promptfoo, "x.json", {"results": {"results": [1]}}, r"results\[0\]: this is no result of promptfoo"),
        (read_lm_eval, "x.jsonl", "hello", r"x.jsonl:1: this is no sample of lm-eval: it is not JSON"),
        (read_lm_eval, "x.jsonl", [1], r"x.jsonl:1: this is no sample of lm-eval: it is list"),
        (read_lm_eval, "x.jsonl", {"id": 1}, r"x.jsonl:1: this is no sample of lm-eval: it has no doc_id"),
        (read_lm_eval, "x.jsonl", "", "holds no samples"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_lacks(tmp_path, read, name, content, said):
    with pytest.raises(DataError, match=said):
        read([written(tmp_path / name, content)])


@pytest.mark.parametrize("read", [read_inspect, read_promptfoo, read_lm_eval])
def test_a_file_that_is_not_there_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"gone.json: there is no such file"):
        read([tmp_path / "gone.json"])


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as packed:
        for name, content in members.items():
            packed.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return path


HEADER = {"eval": {"task": "t", "model": "m"}}


def test_a_member_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    path = archive(tmp_path / "bomb.eval", {"header.json": HEADER, "samples/1.json": b" " * 10_000_000})
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(json_files, "LARGEST", 1_000_000)
    with pytest.raises(DataError, match=r"bomb.eval!samples/1.json: unpacks to 10000000 bytes"):
        read_inspect([path])


def test_a_member_that_lies_about_its_size_is_cut_off(tmp_path, monkeypatch):
    zstandard = pytest.importorskip("zstandard")
    packed = zstandard.ZstdCompressor().compress(b" " * 10_000_000)
    path = tmp_path / "liar.eval"
    archive(path, {"header.json": HEADER, "samples/1.json": packed}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    for marker, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # the second member says: Zstandard
        at = raw.index(b"samples/1.json") if method == 8 else raw.rindex(b"samples/1.json")
        start = raw.rindex(marker, 0, at)
        raw[start + method : start + method + 2] = struct.pack("<H", 93)
    path.write_bytes(raw)
    monkeypatch.setattr(json_files, "LARGEST", 1_000_000)
    with pytest.raises(DataError, match="unpacks to more than 0 MB, and says otherwise"):
        read_inspect([path])


def test_an_archive_of_too_many_files_or_bytes_is_no_log(tmp_path, monkeypatch):
    path = archive(tmp_path / "many.eval", {"header.json": HEADER, **{f"samples/{n}.json": {} for n in range(5)}})
    monkeypatch.setattr(json_files, "MOST_MEMBERS", 3)
    with pytest.raises(DataError, match=r"holds 6 files of .* bytes, more than can be a log"):
        read_inspect([path])


def test_nothing_is_written_outside_however_a_member_is_named(tmp_path):
    sample = {"id": "../../evil", "epoch": 1, "input": "?", "output": {"choices": [{"message": {"content": "x"}}]}}
    inside = tmp_path / "inside"
    inside.mkdir()
    path = archive(inside / "x.eval", {"header.json": HEADER, "samples/../../evil.json": sample, "/etc/x.json": {}})
    assert list(read_inspect([path]).samples) == ["../../evil"]
    assert [p.name for p in tmp_path.rglob("*")] == ["inside", "x.eval"]


def test_a_damaged_member_and_json_nested_without_end_are_named(tmp_path):
    raw = bytearray(EVAL.read_bytes())
    start = raw.index(b"samples/") + len("samples/")
    raw[start + 40 : start + 200] = b"\0" * 160
    (tmp_path / "damaged.eval").write_bytes(raw)
    with pytest.raises(DataError, match=r"damaged.eval!samples/.*json: cannot be unpacked"):
        read_inspect([tmp_path / "damaged.eval"])
    with pytest.raises(DataError, match=r"this is no Inspect log: it is (nested too deeply|not JSON)"):
        read_inspect([written(tmp_path / "deep.json", "[" * 200_000)])


def test_without_a_library_for_zstandard_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(InputError, match=r"packed with Zstandard: pip install zstandard, or .*inspect log convert"):
        read_inspect([EVAL])
