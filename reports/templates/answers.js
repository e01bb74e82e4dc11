// The page's browser of answers: joins the list, the answer that is picked, the dialog and the address.
const browse = (data) => {
  const words = wordsOf(data), columns = columnsOf(data, words), states = statesOf(data), haystack = searchable(data);
  const list = find("list"), table = find("rows"), dialog = find("sides");
  const [head, body] = [table.querySelector("thead tr"), table.querySelector("tbody")];
  let rows = [], picked = null, sort = { column: 0, down: false }, noted = 0;

  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    const start = Math.min(first, last), shown = rows.slice(start, last);
    body.replaceChildren(space(start * HEIGHT, columns.length),
      ...shown.map((a, i) => rowOf(a, start + i, columns, a === picked)), space((rows.length - last) * HEIGHT, columns.length));
    const at = shown.indexOf(picked);
    if (at < 0) table.removeAttribute("aria-activedescendant");
    else table.setAttribute("aria-activedescendant", `row-${start + at}`);
  };

  // The address names the answer by sample, candidate and trial, so that a link opens it in any copy of the page.
  const address = (a, sides) => "#" + new URLSearchParams({
    answer: data.samples[a.sample].id, candidate: a.candidate, ...(a.trial ? { trial: a.trial } : {}), ...(sides ? { view: "sides" } : {}),
  });
  const note = (sides, push) => {
    clearTimeout(noted);
    if (!picked) return;
    const to = address(picked, sides);
    if (to === location.hash) return;
    // Browsers refuse many changes of the address within seconds, as a held key would make.
    if (push) history.pushState(null, "", to);
    else noted = setTimeout(() => history.replaceState(null, "", to), 200);
  };

  const pick = (a) => {
    picked = a;
    find("answer").replaceChildren(...(a ? opened(data, words, a) : []));
    find("beside").parentElement.hidden = !a;
  };
  const scrollTo = (index) => {
    const top = index * HEIGHT, room = list.clientHeight - HEIGHT - head.offsetHeight;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + room) list.scrollTop = top - room;
  };
  const move = (to) => {
    const index = Math.min(rows.length - 1, Math.max(0, to));
    if (!rows[index]) return;
    pick(rows[index]);
    scrollTo(index);
    draw();
    note(false);
  };

  const refresh = () => {
    rows = sorted(filtered(data, states, haystack), columns[sort.column].value, sort.down);
    find("shown").value = counted(rows.length, data.answers.length);
    table.setAttribute("aria-rowcount", rows.length + 1);
    find("clear").hidden = !["search", "candidate", "status", "tag", "low", "high"].some((id) => find(id).value !== "");
    if (!rows.includes(picked)) pick((picked ? rows[0] : rows.find((a) => a.status === "ok") || rows[0]) || null);
    draw();
  };
  const restart = () => { list.scrollTop = 0; refresh(); };
  const clear = () => {
    for (const id of ["search", "candidate", "status", "tag", "low", "high"]) find(id).value = "";
    restart();
  };

  // The dialog walks the questions of the list, as filtered and sorted.
  const questions = () => [...new Set(rows.map((a) => a.sample))];
  const showQuestion = () => {
    const all = questions(), index = all.indexOf(picked.sample);
    find("earlier").disabled = index <= 0;
    find("later").disabled = index >= all.length - 1;
    showSides(data, words, picked.sample, `question ${(index + 1).toLocaleString("en")} of ${all.length.toLocaleString("en")}`);
  };
  const openSides = (push) => {
    if (!picked) return;
    showQuestion();
    if (!dialog.open) dialog.showModal();
    find("sides-body").focus();
    note(true, push);
  };
  const step = (by) => {
    const all = questions(), next = all[all.indexOf(picked.sample) + by];
    if (next === undefined) return;
    pick(rows.find((a) => a.sample === next));
    scrollTo(rows.indexOf(picked));
    draw();
    showQuestion();
    note(true);
  };

  const follow = () => {
    const wish = new URLSearchParams(location.hash.slice(1));
    const found = wish.has("answer") && data.answers.find((a) => data.samples[a.sample].id === wish.get("answer")
      && a.candidate === wish.get("candidate") && a.trial === Number(wish.get("trial") || 0));
    if (!found) return dialog.open && dialog.close();
    if (!rows.includes(found)) clear();
    pick(found);
    scrollTo(rows.indexOf(found));
    draw();
    if (wish.get("view") === "sides") return openSides(false);
    return dialog.open && dialog.close();
  };

  const onKey = (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "Escape" && typing) {
      if (typing.id === "search" && typing.value) { typing.value = ""; restart(); }
      typing.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (dialog.open) {
      if (turn) { event.preventDefault(); step(turn); }
      return;
    }
    const at = rows.indexOf(picked), page = Math.max(1, Math.floor(list.clientHeight / HEIGHT) - 2);
    const inList = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 };
    const to = { j: at + 1, k: at - 1, ...(document.activeElement === table ? inList : {}) }[event.key];
    if (to !== undefined) { event.preventDefault(); move(to); }
    if (event.key === "/") { event.preventDefault(); find("search").focus(); }
    if (event.key === "s") { event.preventDefault(); openSides(true); }
    if (event.key === "Enter" && document.activeElement === table) { event.preventDefault(); find("answer").focus(); }
  };

  columns.forEach((c, i) => head.append(heading(c, () => {
    sort = { column: i, down: sort.column === i ? !sort.down : false };
    [...head.children].forEach((th, k) => (k === i ? th.setAttribute("aria-sort", sort.down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
    restart();
  })));
  head.children[0].setAttribute("aria-sort", "ascending");
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-index]");
    if (row) move(Number(row.dataset.index));
  });
  body.addEventListener("dblclick", () => openSides(true));
  for (const id of ["search", "low", "high"]) find(id).addEventListener("input", restart);
  for (const id of ["candidate", "status", "tag", "measure"]) find(id).addEventListener("change", restart);
  find("clear").addEventListener("click", clear);
  find("beside").addEventListener("click", () => openSides(true));
  find("earlier").addEventListener("click", () => step(-1));
  find("later").addEventListener("click", () => step(1));
  find("leave").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { if (location.hash.includes("view=sides")) note(false, true); });
  window.addEventListener("popstate", follow);
  window.addEventListener("hashchange", follow);
  document.addEventListener("keydown", onKey);
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });

  fillToolbar(data, words, states);
  find("list").parentElement.hidden = false;
  refresh();
  if (location.hash.startsWith("#answer=")) {
    find("answers").scrollIntoView();
    follow();
  }
  document.documentElement.dataset.ready = "yes";
  performance.mark("answers-ready");
};

unpacked("data").then(browse).catch((error) => {
  find("trouble").textContent = error.message;
  find("trouble").hidden = false;
});
