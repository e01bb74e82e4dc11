"""One purse for several processes: together they never spend more than the cap."""

import asyncio
import multiprocessing
import sqlite3

import pytest
from markscheme.harness.dispatch import shared_budget
from markscheme.harness.dispatch.shared_budget import SharedBudget
from markscheme.harness.errors import BudgetReached, StoreError
from markscheme.harness.records import Request
from markscheme.harness.store.shared_purse import SharedPurse

REQUEST = Request(({"role": "user", "content": "hi"},), {"max_tokens": 10})
PRICE = 0.01


def price(model, usage):
    """A worst case of one cent; what a call really cost comes with `settle`."""
    return PRICE


def spend(purse, turns, results):
    """Takes a cent at a time, and gives half of it back."""
    taken = 0
    for _ in range(turns):
        if purse.take(PRICE):
            taken += 1
            purse.settle(PRICE, PRICE / 2)
    results.put(taken)


def test_processes_together_keep_the_cap(tmp_path):
    purse = SharedPurse(tmp_path / "p" / "budget.db", 0.5)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=spend, args=(purse, 60, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    taken = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    spent, reserved = purse.standing()
    assert spent == pytest.approx(sum(taken) * PRICE / 2)
    assert 90 < sum(taken) < 100 and spent <= 0.5  # a take may be refused while another is under way
    assert reserved == 0


def test_what_is_set_aside_counts_until_it_is_settled(tmp_path):
    purse = SharedPurse(tmp_path / "budget.db", 0.02)
    other = SharedPurse(tmp_path / "budget.db", 0.02)
    assert purse.take(0.01) and other.take(0.01)
    assert not purse.take(0.001)
    other.settle(0.01, 0.002)
    assert purse.take(0.008)
    purse.remove()
    assert not (tmp_path / "budget.db").exists()


def test_a_budget_waits_for_others_and_then_goes_on(tmp_path):
    purse = SharedPurse(tmp_path / "budget.db", 0.015)
    assert purse.take(PRICE)  # another process

    async def main():
        budget = SharedBudget(float("inf"), 0.0, price, purse)
        waiting = asyncio.create_task(budget.reserve("m", REQUEST))
        await asyncio.sleep(0.12)
        assert not waiting.done()
        purse.settle(PRICE, 0.001)
        assert await waiting == PRICE
        budget.settle(PRICE, 0.003)

    asyncio.run(main())
    assert purse.standing() == (pytest.approx(0.004), 0.0)


def test_a_purse_that_is_empty_refuses_and_leaves_nothing_set_aside(tmp_path):
    purse = SharedPurse(tmp_path / "budget.db", 0.005)

    async def main():
        await SharedBudget(1.0, 0.0, price, purse).reserve("m", REQUEST)

    with pytest.raises(BudgetReached, match=r"budget of \$0.01 reached: \$0.0000 spent by all processes together"):
        asyncio.run(main())
    assert purse.standing() == (0.0, 0.0)


def test_what_a_killed_process_set_aside_counts_as_spent_in_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_budget, "PATIENCE_S", 0.1)
    purse = SharedPurse(tmp_path / "budget.db", 0.015)
    purse.take(PRICE)

    async def main():
        await SharedBudget(1.0, 0.0, price, purse).reserve("m", REQUEST)

    with pytest.raises(BudgetReached, match=r"\$0.0100 set aside"):
        asyncio.run(main())


def test_the_cap_of_a_run_holds_beside_the_purse(tmp_path):
    purse = SharedPurse(tmp_path / "budget.db", 1.0)

    async def main():
        await SharedBudget(0.5, 0.495, price, purse).reserve("m", REQUEST)

    with pytest.raises(BudgetReached, match=r"budget of \$0.50 reached"):
        asyncio.run(main())
    assert not purse.path.exists()


def test_a_file_that_is_no_purse_is_named(tmp_path):
    (tmp_path / "budget.db").write_text("not a database, not even a small one")
    with pytest.raises(StoreError, match=r"budget.db: the shared budget cannot be kept"):
        SharedPurse(tmp_path / "budget.db", 1.0).take(0.1)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "budget.db").execute("SELECT * FROM purse")
