"use strict";
// Questions and chunks are only ever set as textContent. Rows of the list are made for the part in view.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const [list, detail, search, shown] = ["list", "answer", "search", "shown"].map(find);
  const [head, body] = [list.querySelector("thead tr"), list.querySelector("tbody")];
  const HEIGHT = 32, SPARE = 12;

  const make = (tag, text, kind) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const option = (value, text) => {
    const element = make("option", text);
    element.value = value;
    return element;
  };
  const number = (v) => v.toFixed(2).replace("-", "−");
  const one = () => Number(find("one").value), other = () => Number(find("other").value), k = () => Number(find("cut").value);
  const value = (c, q) => data.values[k()][c][q];
  const difference = (q) => value(one(), q) - value(other(), q);
  const got = (c, q) => new Set(data.found[c][q].slice(0, k()).flatMap(([, ...keys]) => keys));
  const STATE = {
    "": ["all questions", () => true],
    all: ["everything found", (q) => data.questions[q].needs && Object.keys(data.questions[q].needs).every((key) => got(one(), q).has(key))],
    part: ["part found", (q) => { const n = got(one(), q).size; return n > 0 && n < Object.keys(data.questions[q].needs).length; }],
    nothing: ["nothing found", (q) => got(one(), q).size === 0],
    better: ["better than compared", (q) => difference(q) > 0],
    worse: ["worse than compared", (q) => difference(q) < 0],
  };
  const state = (q) => ["all", "part", "nothing"].find((name) => STATE[name][1](q));
  const columns = [
    { name: () => "question", value: (q) => q, show: (q) => data.questions[q].text.replace(/\s+/g, " "), kind: "text", width: 46 },
    { name: () => `${data.measure}@${k()}`, value: (q) => value(one(), q), show: (q) => number(value(one(), q)), width: 12 },
    { name: () => "compared", value: (q) => value(other(), q), show: (q) => number(value(other(), q)), width: 12 },
    { name: () => "difference", value: difference, show: (q) => (difference(q) > 0 ? "+" : "") + number(difference(q)), width: 12 },
    { name: () => "found", value: (q) => state(q), show: (q) => ({ all: "everything", part: "part", nothing: "nothing" })[state(q)], width: 18,
      tint: (q) => ({ part: "warned", nothing: "failed" })[state(q)] || "" },
  ];
  let rows = [], picked = null, sort = { column: 0, down: false };

  const haystack = data.questions.map((q) => [q.id, q.text, ...Object.keys(q.needs)].join("\n").toLowerCase());
  const refresh = () => {
    const needle = search.value.trim().toLowerCase(), test = STATE[find("state").value][1], by = columns[sort.column].value;
    rows = data.questions.map((_, q) => q).filter((q) => test(q) && (!needle || haystack[q].includes(needle)));
    rows = rows.map((q) => [q, by(q)]).sort(([p, x], [q, y]) => (sort.down ? -1 : 1) * (x < y ? -1 : x > y ? 1 : 0) || p - q).map(([q]) => q);
    const total = data.questions.length, more = data.left_out ? `, ${data.left_out.toLocaleString("en")} not on this page` : "";
    shown.value = (rows.length === total ? `${total} questions` : `${rows.length} of ${total} questions`) + more;
    if (!rows.includes(picked)) picked = rows.length ? rows[0] : null;
    [...head.children].forEach((th, i) => { th.firstChild.textContent = columns[i].name(); });
    show();
    draw();
  };
  const space = (pixels) => {
    const row = make("tr", undefined, "space"), cell = make("td");
    cell.colSpan = columns.length;
    cell.style.height = `${pixels}px`;
    row.append(cell);
    return row;
  };
  const line = (q, index) => {
    const row = make("tr", undefined, q === picked ? "picked" : "");
    row.dataset.index = index;
    if (q === picked) row.setAttribute("aria-current", "true");
    for (const c of columns) {
      const cell = make("td", c.show(q), [c.kind, c.tint && c.tint(q)].filter(Boolean).join(" "));
      if (c.kind) cell.title = cell.textContent.slice(0, 400);
      row.append(cell);
    }
    return row;
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    const start = Math.min(first, last);
    body.replaceChildren(space(start * HEIGHT), ...rows.slice(start, last).map((q, i) => line(q, start + i)), space((rows.length - last) * HEIGHT));
  };

  const ranking = (c, q) => {
    const box = make("div"), seen = new Set();
    box.append(make("p", `${data.configurations[c]}: ${data.measure}@${k()} ${number(value(c, q))}`, "judge"));
    if (data.why[c][data.questions[q].id]) box.append(make("p", `No ranking: ${data.why[c][data.questions[q].id]}`, "problem"));
    data.found[c][q].forEach(([chunk, ...keys], i) => {
      const [document_, start, end, text] = data.chunks[chunk];
      const fresh = keys.filter((key) => !seen.has(key));
      keys.forEach((key) => seen.add(key));
      const kind = fresh.length ? "right" : keys.length ? "again" : "wrong";
      const said = { right: "relevant", again: "relevant, brings nothing new", wrong: "not relevant" }[kind];
      const part = make("details", undefined, `chunk ${kind}${i >= k() ? " beyond" : ""}`);
      part.append(make("summary", `${i + 1}. ${document_} ${start}–${end} · ${said}`), make("pre", text));
      box.append(part);
    });
    if (!data.found[c][q].length) box.append(make("p", "Nothing was returned.", "meta"));
    return box;
  };
  const show = () => {
    if (picked === null) return detail.replaceChildren();
    const q = data.questions[picked], top = make("div", undefined, "whole"), needs = make("ul", undefined, "needs"), have = got(one(), picked);
    for (const [key, grade] of Object.entries(q.needs)) needs.append(make("li", `${key} (grade ${grade})`, have.has(key) ? "found" : "lost"));
    top.append(make("h3", q.text), make("p", [q.id, q.cluster === q.id ? "" : q.cluster].filter(Boolean).join(" · "), "meta"), needs);
    return detail.replaceChildren(top, ranking(one(), picked), ...(one() === other() ? [] : [ranking(other(), picked)]));
  };
  const move = (step) => {
    const index = Math.min(rows.length - 1, Math.max(0, rows.indexOf(picked) + step));
    if (index < 0 || rows[index] === undefined) return;
    picked = rows[index];
    show();
    const top = index * HEIGHT, room = list.clientHeight - 2 * HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + room) list.scrollTop = top - room;
    draw();
  };

  columns.forEach((c, i) => {
    const cell = make("th", undefined, c.kind), button = make("button", "");
    button.type = "button";
    cell.scope = "col";
    cell.style.width = `${c.width}%`;
    button.addEventListener("click", () => {
      sort = { column: i, down: sort.column === i ? !sort.down : false };
      [...head.children].forEach((th, n) => (n === i ? th.setAttribute("aria-sort", sort.down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
      list.scrollTop = 0;
      refresh();
    });
    cell.append(button);
    head.append(cell);
  });
  data.configurations.forEach((name, i) => {
    find("one").append(option(String(i), name));
    find("other").append(option(String(i), `against ${name}`));
  });
  data.cuts.forEach((cut) => find("cut").append(option(String(cut), `k = ${cut}`)));
  for (const [name, [text]] of Object.entries(STATE)) find("state").append(option(name, text));
  find("one").value = String(data.configurations.indexOf(data.chosen));
  find("other").value = String(data.configurations.indexOf(data.baseline));
  find("cut").value = String(data.k);
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-index]");
    if (!row) return;
    picked = rows[Number(row.dataset.index)];
    show();
    draw();
  });
  const restart = () => { list.scrollTop = 0; refresh(); };
  search.addEventListener("input", restart);
  for (const id of ["one", "other", "cut", "state"]) find(id).addEventListener("change", restart);
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "Escape" && typing) {
      if (typing === search && search.value) { search.value = ""; restart(); }
      return typing.blur();
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const step = { j: 1, k: -1, ...(document.activeElement === list ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key];
    if (step) { event.preventDefault(); move(step); }
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    return undefined;
  });
  list.parentElement.hidden = false;
  refresh();
})();
