"""Blind sheets: what raters get to see, what a model cannot do in them, and what is read back."""

from __future__ import annotations

import csv
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markscheme.app.review.beginning import Asked, begin_or_resume
from markscheme.app.review.csv_sheets import read_csv
from markscheme.app.review.exporting import write_sheets
from markscheme.app.review.reading import Findings, place_of, read_rows
from markscheme.app.review.sheets import LONGEST, make_sheets, pieces, printable
from markscheme.app.review.workbook import read_workbook
from markscheme.harness.data_rows import Row
from markscheme.harness.errors import DataError, InputError, MissingExtra, StoreError
from markscheme.harness.records import Answer, Said, Sample
from markscheme.harness.review import orders
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.harness.spreadsheets import original
from markscheme.harness.store import codec, runs
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store

ZEBRA, QUOKKA = "zebra-large", "quokka-mini"
RUBRIC = {
    "name": "two_things",
    "description": "Grades two things.",
    "scale": [0, 2],
    "sees": ["question", "context?", "reference"],
    "criteria": [
        {
            "name": name,
            "weight": 0.5,
            "description": f"Is it {name}?",
            "levels": [
                {
                    "score": score,
                    "description": f"{name} earns {score}",
                    "examples": [{"question": "Why?", "answer": f"a {name} of {score}", "reasoning": "since it is"}],
                }
                for score in range(3)
            ],
        }
        for name in ("right", "note")  # the second is called like a column of ours
    ],
}
HOSTILE = (
    '=HYPERLINK("http://evil","click")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "#REF!",
    "_x003D_1+1",
    '"=1+1',
    "two\n=lines",
)


@dataclass
class Study:
    """A run of two candidates with telling names, in a workspace of its own."""

    folder: Path
    store: Store
    reviews: Reviews
    run: str

    def begin(self, **asked: Any) -> Review:
        wish = {"name": "look", "raters": ("ann", "ben"), "rubric": str(self.folder / "rubric.yaml"), "overlap": 1.0}
        return begin_or_resume(self.store, self.run, Asked(**{**wish, **asked}))

    def write(self, review: Review, format: str = "xlsx") -> dict[str, Path]:
        made = write_sheets(self.store, review, review.raters, format, self.folder / "out")  # type: ignore[arg-type]
        return {line.rater: Path(line.path) for line in made.sheets}

    def read(self, review: Review, path: Path) -> Findings:
        rows = read_workbook(path) if path.suffix == ".xlsx" else read_csv(path)
        return read_rows(path, rows, place_of(self.reviews, review))


Make = Callable[..., Study]


@pytest.fixture
def study(tmp_path: Path):
    """Makes a `Study`; ``says``: question number and candidate -> answer."""
    stores: list[Store] = []

    def make(says: Callable[[int, str], str] = lambda n, who: f"the answer {n}.{len(who)} in five words", n: int = 12):
        folder = tmp_path / str(len(stores))
        folder.mkdir()
        (folder / "rubric.yaml").write_text(yaml.safe_dump(RUBRIC))
        store = Store(folder / "workspace")
        stores.append(store)
        run = runs.begin(store, "exam.yaml", {})
        config = {"candidates": [{"name": ZEBRA}, {"name": QUOKKA}], "judges": []}
        runs.describe_run(store, run, "f", config, {})
        samples = [Sample(f"s{i}", f"Why {i}?", reference=f"since {i}", sha256=f"x{i}") for i in range(n)]
        store.put_samples(run.id, samples)
        said = [Answer(run.id, f"s{i}", who, 0, Said(says(i, who))) for i in range(n) for who in (ZEBRA, QUOKKA)]
        store.put({"answers": [codec.answer_to_row(answer, 0) for answer in said]})
        return Study(folder, store, Reviews(store), run.id)

    yield make
    for store in stores:
        store.close()


def cells(path: Path) -> list[dict[str, str]]:
    """A CSV as a spreadsheet shows it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rewrite(path: Path, rows: list[dict[str, str]], separator: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def test_what_a_model_wrote_is_a_text_in_a_workbook(study: Make) -> None:
    made = study(lambda n, who: HOSTILE[n], len(HOSTILE))
    path = made.write(made.begin())["ann"]
    with zipfile.ZipFile(path) as archive:
        assert not re.search(rb"<f[ />]", archive.read("xl/worksheets/sheet1.xml"))
    worksheet = openpyxl.load_workbook(path)["Answers"]
    column = [cell.value for cell in worksheet[1]].index("answer") + 1
    answers = [worksheet.cell(line, column) for line in range(2, worksheet.max_row + 1)]
    assert {cell.quotePrefix for cell in answers} == {True}
    assert {row.data["answer"] for row in read_workbook(path)} == set(HOSTILE)


def test_what_a_model_wrote_is_no_formula_in_csv(study: Make) -> None:
    made = study(lambda n, who: HOSTILE[n], len(HOSTILE))
    rows = cells(made.write(made.begin(), "csv")["ann"])
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {original(row["answer"]) for row in rows} == set(HOSTILE)


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize("asked", [{"mode": "grade", "design": "candidate"}, {"mode": "pairs", "rubric": "pairwise"}])
def test_nothing_in_a_sheet_names_a_candidate_or_a_trap(study: Make, format: str, asked: dict[str, Any]) -> None:
    made = study()
    review = made.begin(attention=2, **asked)
    sheets = made.write(review, format)
    expected = {item.stratum for item in made.reviews.items(review)} - {""} if asked["mode"] == "grade" else {ZEBRA}
    assert any("zebra" in text for text in expected)  # it is known to the workspace
    for path in sheets.values():
        if format == "csv":
            parts = {path.name: path.read_bytes()}
        else:
            with zipfile.ZipFile(path) as archive:
                parts = {name: archive.read(name) for name in archive.namelist()}
        for name, content in parts.items():
            for hidden in (b"zebra", b"quokka", b"attention", b"stratum"):
                assert hidden not in content.lower() + name.lower().encode(), name


def test_cells_to_fill_in_offer_the_levels_and_all_others_are_locked(study: Make) -> None:
    made = study()
    book = openpyxl.load_workbook(made.write(made.begin())["ann"])
    worksheet = book["Answers"]
    header = [cell.value for cell in worksheet[1]]
    assert header == ["review", "rater", "item", "question", "reference", "answer", "right", "note (score)", "note"]
    assert worksheet.protection.sheet and not worksheet.protection.password
    assert worksheet.freeze_panes == "D2"
    open_columns = {header[cell.column - 1] for cell in worksheet[2] if not cell.protection.locked}
    assert open_columns == {"right", "note (score)", "note"}
    offered = {str(one.sqref): one.formula1 for one in worksheet.data_validations.dataValidation}
    assert offered == {"G2:G25": '"0,1,2"', "H2:H25": '"0,1,2"'}
    assert all(cell.alignment.wrap_text for cell in worksheet[2])


def test_the_rubric_with_its_examples_is_on_a_second_sheet(study: Make) -> None:
    made = study()
    rows = list(openpyxl.load_workbook(made.write(made.begin())["ann"])["Rubric"].iter_rows(values_only=True))
    texts = {cell for row in rows for cell in row if cell}
    assert {"Is it right?", "right earns 2", "a right of 2", "since it is"} <= texts
    assert ("right", "1", "right earns 1") in {row[:3] for row in rows}


def test_the_rubric_lies_beside_sheets_in_csv(study: Make) -> None:
    made = study()
    path = made.write(made.begin(), "csv")["ann"]
    assert "right earns 2" in (path.parent / "look-rubric.csv").read_text(encoding="utf-8-sig")


def test_a_long_answer_goes_on_in_further_columns(study: Make) -> None:
    texts = {ZEBRA: "a" * 40_000 + "\U0001f600" * 20_000 + "_x0041_" * 9_000 + "=end", QUOKKA: "short"}
    made = study(lambda n, who: texts[who], 1)
    found = set()
    for row in read_workbook(made.write(made.begin())["ann"]):
        parts = [str(row.data[name] or "") for name in row.data if name.startswith("answer")]
        assert all(len(part.encode("utf-16-le")) // 2 <= 32_767 for part in parts)
        found.add("".join(parts))
    assert found == set(texts.values())


@given(st.text(max_size=80), st.integers(2, 9))
def test_pieces_fit_and_together_are_the_text(text: str, longest: int) -> None:
    found = pieces(text, longest)
    assert "".join(found) == text
    assert all(len(part.encode("utf-16-le", "surrogatepass")) // 2 <= longest for part in found)


def test_control_characters_are_shown_not_dropped(study: Make) -> None:
    made = study(lambda n, who: "\x1b[31mred\x00\x0b \ufffe end", 1)
    (row, _) = read_workbook(made.write(made.begin())["ann"])
    assert row.data["answer"] == "␛[31mred␀␋ \ufffd end"
    assert printable("a\r\nb\rc\td") == "a\nb\nc\td"


def test_each_rater_has_an_order_of_ones_own(study: Make) -> None:
    made = study()
    review = made.begin()
    sheets = make_sheets(made.reviews, review, review.raters, ("reference",))
    items = made.reviews.items(review)
    for rater, sheet in sheets.items():
        assert [row[2] for row in sheet.rows] == ["i-" + one.id for one in orders.order_for(review, items, rater)]
    assert sheets["ann"].rows != sheets["ben"].rows


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_a_choice_between_two_finds_its_candidate_in_either_order(study: Make, format: str) -> None:
    made = study(lambda n, who: f"{'good' if who == ZEBRA else 'bad'} answer {n}")
    review = made.begin(mode="pairs", rubric="pairwise")
    for rater, path in made.write(review, format).items():
        place = place_of(made.reviews, review)
        rows = [*(read_workbook(path) if format == "xlsx" else read_csv(path))]
        said = [Row(row.line, {**row.data, "better": "1" if "good" in row.data["answer 1"] else 2.0}) for row in rows]
        assert {row.data["better"] for row in said} == {"1", 2.0}  # both orders were shown
        found = read_rows(path, said, place)
        assert [rating.rater for _, rating in found.ratings] == [rater] * 12
        for item, rating in found.ratings:
            assert {"left": item.left, "right": item.right}[str(rating.winner)] == ZEBRA
        tied = read_rows(path, [Row(row.line, {**row.data, "better": " Tie "}) for row in rows], place)
        assert {rating.winner for _, rating in tied.ratings} == {"tie"}


def test_what_was_chosen_before_stands_in_the_next_sheet_and_is_read_back_the_same(study: Make) -> None:
    made = study(lambda n, who: f"{who[0]}{n} says something here")
    for mode, rubric in (("grade", str(made.folder / "rubric.yaml")), ("pairs", "pairwise")):
        review = made.begin(name=mode, mode=mode, rubric=rubric)
        items = made.reviews.items(review)
        winners = ("left", "right", "tie")
        for number, item in enumerate(items[:9]):
            scores = {"right": number % 3, "note": 1} if mode == "grade" else {}
            winner = None if mode == "grade" else winners[number % 3]
            made.reviews.rate(review, item, Rating(item.id, "ann", scores, winner, note="=so it is"))  # type: ignore[arg-type]
        for format in ("xlsx", "csv"):
            found = made.read(review, made.write(review, format)["ann"])
            assert not found.wrong
            assert {rating.item: rating for _, rating in found.ratings} == {
                rating.item: rating for rating in made.reviews.ratings(review, "ann")
            }
            assert found.empty == len(items) - 9


def edited(path: Path, change: Callable[[Any], None]) -> Path:
    """A workbook as somebody saves it who has sorted, hidden and added things."""
    book = openpyxl.load_workbook(path)
    change(book["Answers"])
    book.save(path)
    return path


def test_a_workbook_is_read_as_people_leave_it(study: Make) -> None:
    made = study()
    review = made.begin()

    def change(worksheet: Any) -> None:
        rows = [[cell.value for cell in row] for row in worksheet.iter_rows(min_row=2)]
        for line, row in enumerate(reversed(rows[1:]), 2):  # sorted otherwise, and one row deleted
            for position, value in enumerate(
                [*row[:6], (1, 2.0, "2.0 ", " 0")[line % 4], "1", "well\nnoted", "mine"], 1
            ):
                worksheet.cell(line, position).value = value
        worksheet.delete_rows(len(rows) + 1)
        worksheet.cell(1, 10).value = " my own column "
        worksheet.row_dimensions[3].hidden = True

    found = made.read(review, edited(made.write(review)["ann"], change))
    assert not found.wrong
    assert len(found.ratings) == 23
    assert {rating.scores["right"] for _, rating in found.ratings} == {0, 1, 2}
    assert {(rating.scores["note"], rating.note) for _, rating in found.ratings} == {(1, "well\nnoted")}


def test_a_csv_with_semicolons_and_decimal_commas_is_read(study: Make) -> None:
    made = study()
    review = made.begin()
    path = made.write(review, "csv")["ben"]
    rewrite(path, [{**row, "right": "2,0", "note (score)": " 1 "} for row in cells(path)], ";")
    found = made.read(review, path)
    assert [rating.scores for _, rating in found.ratings] == [{"right": 2, "note": 1}] * 24


def test_every_wrong_cell_is_named_with_row_column_and_remedy(study: Make) -> None:
    made = study()
    review = made.begin(raters=("ann", "ben"), overlap=0.0)
    path = made.write(review, "csv")["ann"]
    rows = cells(path)
    rows[0]["right"], rows[0]["note (score)"] = "3", "1.5"
    rows[1]["right"] = "TRUE"
    rows[2]["item"] = "i-nonsense"
    rows[3]["rater"] = "eve"
    rows[4]["rater"] = "ben"
    rows[5] = {**rows[6], "right": "1"}
    rows[6]["right"] = "2"
    rows[7]["right"] = "=1+1"
    rewrite(path, rows)
    wrong = made.read(review, path).wrong
    begins = [
        "2 right: '3' cannot",
        "2 note (score): '1.5' cannot",
        "3 right: 'TRUE' cannot",
        "4 item: 'i-nonsense' is no item of",
        "5 rater: 'eve' is none of",
        f"6 item: {rows[4]['item']!r} was not given to 'ben'",
        f"8 item: {rows[6]['item']!r} is rated otherwise in row 7",
        "9 right: '=1+1' cannot",
    ]
    assert len(wrong) == len(begins)
    assert [line for line, start in zip(wrong, begins, strict=True) if not line.startswith(f"{path}:{start}")] == []
    assert "write 0, 1, 2, or leave it empty" in wrong[0]


def test_a_formula_in_a_score_cell_of_a_workbook_is_wrong(study: Make) -> None:
    made = study()
    review = made.begin()

    def change(worksheet: Any) -> None:
        worksheet["G2"] = "=1+1"

    (wrong,) = made.read(review, edited(made.write(review)["ann"], change)).wrong
    assert ":2 right: '=1+1' cannot be chosen" in wrong


def test_of_the_ratings_of_a_sheet_all_are_kept_or_none(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study()
    review = made.begin()
    items = made.reviews.items(review)[:3]
    write = made.reviews._rate

    def full(connection: Any, review: Review, item: Item, rating: Rating) -> None:
        if item == items[2]:
            raise OSError("no space left")
        write(connection, review, item, rating)

    monkeypatch.setattr(made.reviews, "_rate", full)
    with pytest.raises(StoreError, match="no space"):
        made.reviews.rate_all(review, [(item, Rating(item.id, "ann", {"right": 1})) for item in items])
    assert made.reviews.ratings(review) == []


def test_a_note_without_a_score_is_told_not_lost_in_silence(study: Make) -> None:
    made = study()
    review = made.begin()
    path = made.write(review, "csv")["ann"]
    rows = cells(path)
    rows[2]["note"] = "no idea"
    rewrite(path, rows)
    found = made.read(review, path)
    assert (found.ratings, found.empty) == ([], 24)
    assert found.notes == [f"{path}:4 note: is not kept, since nothing is chosen in this row"]


def test_an_answer_that_changed_since_it_was_drawn_is_left_out(study: Make) -> None:
    made = study()
    review = made.begin()
    item = made.reviews.items(review)[0]
    other = Answer(made.run, item.sample_id, item.left, 0, Said("another answer"))
    made.store.put({"answers": [codec.answer_to_row(other, 1)]})
    sheet = make_sheets(made.reviews, review, ["ann"], ())["ann"]
    assert (len(sheet.rows), sheet.left_out) == (23, 1)
    assert "i-" + item.id not in {row[2] for row in sheet.rows}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "review,rater,item\nlook,ann,i-1\n".encode("utf-16"), "is not UTF-8 text"),
        ("a.csv", b"review,rater,item,item\n", "the column 'item' is there twice"),
        ("a.csv", b"review,rater,item,right\nlook,ann,i-1,2,oops\n", "a.csv:2: has 5 cells where the header has 4"),
        ("a.xlsx", b"no zip", "cannot be read as a workbook"),
    ],
)
def test_a_file_that_is_no_sheet_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(said)):
        list(read_workbook(path) if name.endswith("xlsx") else read_csv(path))


def test_a_workbook_without_our_columns_is_named(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="no worksheet has the columns review, rater, item"):
        list(read_workbook(tmp_path / "a.xlsx"))


def test_a_column_that_was_taken_away_is_named(study: Make) -> None:
    made = study()
    review = made.begin()
    path = made.write(review, "csv")["ann"]
    rewrite(path, [{name: cell for name, cell in row.items() if name != "right"} for row in cells(path)])
    with pytest.raises(DataError, match="the column 'right' is missing"):
        made.read(review, path)


def test_a_workbook_without_openpyxl_names_the_extra(study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study()
    review = made.begin()
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=re.escape("markscheme[review]")):
        made.write(review)
    assert made.write(review, "csv")  # which needs nothing


def test_a_file_that_is_there_is_not_written_over(study: Make) -> None:
    made = study()
    review = made.begin()
    (made.folder / "out").mkdir()
    (made.folder / "out" / "look-ben.xlsx").write_text("scores")
    with pytest.raises(InputError, match="is there already, maybe with scores in it"):
        made.write(review)
    assert not (made.folder / "out" / "look-ann.xlsx").exists()


def test_raters_are_named_so_that_files_tell_them_apart(study: Make) -> None:
    made = study()
    for raters, said in (
        ((), "--rater is missing"),
        (("ann", "../ben"), "--rater '../ben'"),
        (("ann", "=1"), "--rater '=1'"),
        (("Ann B", "ann_b"), "too like the name of another"),
    ):
        with pytest.raises(InputError, match=re.escape(said)):
            made.begin(raters=raters)
    review = made.begin(raters=("Ann B.", "böb@x"))
    assert {path.name for path in made.write(review).values()} == {"look-Ann_B..xlsx", "look-böb_x.xlsx"}


def test_a_review_goes_on_by_the_same_words_and_by_none(study: Make) -> None:
    made = study()
    asked = {"n": 100, "overlap": 0.5, "seed": 3, "attention": 1, "design": "candidate"}  # there are 24 answers only
    review = made.begin(**asked)
    assert made.begin(**asked) == review
    assert begin_or_resume(made.store, "latest", Asked(name="look")) == review
    assert begin_or_resume(made.store, "latest", Asked()) == review
    assert made.begin(**asked, raters=("ben",)) == review


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"n": 5}, "--n 5: review 'look' was begun with 100"),
        ({"overlap": 0.2}, "--overlap 0.2: review 'look' was begun with 1.0"),
        ({"seed": 9}, "--seed 9: review 'look' was begun with 0"),
        ({"mode": "pairs"}, "--mode pairs: review 'look' was begun with grade"),
        ({"attention": 2}, "--attention 2: review 'look' was begun with 0"),
        ({"design": "score"}, "--design score: review 'look' was begun with random"),
        ({"rubric": "docs_qa"}, "--rubric docs_qa: review 'look' was begun with ./rubric.yaml"),
        ({"raters": ("eve",)}, "--rater 'eve': review 'look' was begun with ann, ben"),
    ],
)
def test_options_that_contradict_what_is_recorded_are_named(study: Make, asked: dict[str, Any], said: str) -> None:
    made = study()
    made.begin(n=100)
    with pytest.raises(InputError, match=re.escape(said)):
        made.begin(**asked)


def test_a_rubric_that_changed_stops_the_review(study: Make) -> None:
    made = study()
    review = made.begin()
    other = {**RUBRIC, "description": "Grades otherwise."}
    (made.folder / "rubric.yaml").write_text(yaml.safe_dump(other))
    with pytest.raises(InputError, match="was changed since review 'look' began"):
        made.write(review)


def test_a_review_of_unnamed_kind_needs_a_rubric_where_no_judge_has_one(study: Make) -> None:
    made = study()
    with pytest.raises(InputError, match="it has no judge with a rubric file; say by which people grade"):
        made.begin(rubric="")
    with pytest.raises(InputError, match="metric without levels"):
        made.begin(rubric="ragas/faithfulness")
    assert made.begin(rubric="", mode="pairs").rubric == "pairwise"


def test_cells_leave_room_for_the_mark_of_a_text() -> None:
    assert LONGEST == 32_766
