"use strict";
// What models wrote is only ever set as textContent. Rows of the list are made for the part in view.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const [list, detail, search, shown] = ["list", "answer", "search", "shown"].map(find);
  const [head, body] = [list.querySelector("thead tr"), list.querySelector("tbody")];
  const HEIGHT = 32, SPARE = 12, DASH = "–";
  const judges = [...new Set(data.columns.map((c) => c.source).filter(Boolean))];
  const trials = data.answers.some((a) => a.trial > 0);

  const make = (tag, text, kind) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const number = (v) => (v === null || v === undefined ? DASH : Number.isInteger(v) ? String(v) : v.toFixed(2));
  const seconds = (v) => (v === undefined ? DASH : v >= 10 ? v.toFixed(1) : v >= 0.1 ? v.toFixed(2) : v >= 0.0005 ? v.toFixed(3) : v ? "<0.001" : "0");
  const usd = (v) => (v === undefined ? "price unknown" : v === 0 ? "$0" : "$" + v.toPrecision(2));
  const state = (a) => (a.status !== "ok" ? a.status.replaceAll("_", " ") : a.unscored ? "not scored" : "");
  const label = (c) => (c.source && judges.length > 1 ? c.source + " " : "") + c.measure;
  const who = (a) => a.candidate + (trials ? " #" + (a.trial + 1) : "");
  const question = (a) => data.samples[a.sample].question;

  const columns = [
    { name: "question", value: (a) => a.sample, show: (a) => question(a).replace(/\s+/g, " "), kind: "text", width: 24 },
    { name: "candidate", value: (a) => who(a), show: who, kind: "text", width: 13 },
    ...data.columns.slice(0, 6).map((c, i) => ({
      name: label(c), value: (a) => a.values[i], show: (a) => number(a.values[i]), width: 8,
    })),
    { name: "seconds", value: (a) => a.e2e_s, show: (a) => seconds(a.e2e_s), width: 7 },
    { name: "status", value: state, show: (a) => state(a) || "ok", width: 9,
      tint: (a) => (a.status !== "ok" ? "failed" : a.unscored ? "warned" : "") },
  ];
  let rows = [], picked = null, sort = { column: 0, down: false };

  const haystacks = new Map();
  const haystack = (a) => {
    if (!haystacks.has(a)) {
      const s = data.samples[a.sample];
      haystacks.set(a, [s.id, s.question, a.text, a.detail].filter(Boolean).join("\n").toLowerCase());
    }
    return haystacks.get(a);
  };
  const STATUS = {
    "": ["all answers", () => true],
    ok: ["answered", (a) => a.status === "ok"],
    candidate: ["failed: the candidate's own", (a) => a.owner === "candidate"],
    ours: ["failed: ours", (a) => a.owner === "ours"],
    unscored: ["not scored", (a) => Boolean(a.unscored)],
    reused: ["re-used replies", (a) => Boolean(a.reused)],
  };

  const option = (value, text) => {
    const element = make("option", text);
    element.value = value;
    return element;
  };
  const fillToolbar = () => {
    find("candidate").append(option("", "all candidates"), ...data.candidates.map((name, i) => option(String(i), name)));
    for (const [value, [text, test]] of Object.entries(STATUS)) {
      if (!value || data.answers.some(test)) find("status").append(option(value, text));
    }
    find("score").append(option("", "all scores"));
    data.columns.forEach((c, i) => {
      const [low, high] = c.scale || [0, 1];
      const group = make("optgroup");
      group.label = label(c);
      const cuts = c.scale ? Array.from({ length: high - low }, (_, k) => low + k) : [0, 0.5];
      group.append(...cuts.map((cut) => option(`${i}:${cut}`, `${label(c)} ≤ ${cut}`)), option(`${i}:${high}:top`, `${label(c)} = ${high}`));
      find("score").append(group);
    });
  };
  const scoreTest = (wish) => {
    if (!wish) return () => true;
    const [column, cut, top] = wish.split(":");
    return (a) => {
      const value = a.values[Number(column)];
      return value !== null && (top ? value >= Number(cut) : value <= Number(cut));
    };
  };

  const compare = (x, y) => (typeof x === "string" || typeof y === "string" ? String(x).localeCompare(String(y), "en") : x - y);
  const refresh = () => {
    const needle = search.value.trim().toLowerCase(), name = find("candidate").value;
    const candidate = name === "" ? null : data.candidates[Number(name)];
    const status = STATUS[find("status").value][1], score = scoreTest(find("score").value);
    rows = data.answers.filter((a) => (candidate === null || a.candidate === candidate) && status(a) && score(a) && (!needle || haystack(a).includes(needle)));
    const { value } = columns[sort.column], absent = (v) => v === null || v === undefined || v === "";
    rows = rows.map((a, i) => [a, value(a), i]).sort(([, x, i], [, y, j]) => {
      if (absent(x) || absent(y)) return absent(x) - absent(y) || i - j;
      return (sort.down ? -1 : 1) * compare(x, y) || i - j;
    }).map(([a]) => a);
    shown.value = rows.length === data.answers.length ? `${rows.length.toLocaleString("en")} answers`
      : `${rows.length.toLocaleString("en")} of ${data.answers.length.toLocaleString("en")} answers`;
    if (!rows.includes(picked)) pick((picked ? rows[0] : rows.find((a) => a.status === "ok") || rows[0]) || null);
    draw();
  };

  const space = (pixels) => {
    const row = make("tr", undefined, "space"), cell = make("td");
    cell.colSpan = columns.length;
    cell.style.height = `${pixels}px`;
    row.append(cell);
    return row;
  };
  const line = (a, index) => {
    const row = make("tr", undefined, a === picked ? "picked" : "");
    row.dataset.index = index;
    if (a === picked) row.setAttribute("aria-current", "true");
    for (const c of columns) {
      const cell = make("td", c.show(a), [c.kind, c.tint && c.tint(a)].filter(Boolean).join(" "));
      if (c.kind) cell.title = cell.textContent.slice(0, 400);
      row.append(cell);
    }
    return row;
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - SPARE);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + SPARE);
    const start = Math.min(first, last);
    body.replaceChildren(space(start * HEIGHT), ...rows.slice(start, last).map((a, i) => line(a, start + i)), space((rows.length - last) * HEIGHT));
  };

  const folded = (title, text) => {
    const element = make("details");
    element.append(make("summary", title), make("pre", text));
    return element;
  };
  const meta = (a) => {
    const s = data.samples[a.sample];
    const tokens = a.completion_tokens === undefined ? "" : `${a.completion_tokens} tokens`;
    const thought = a.reasoning_tokens ? `${a.reasoning_tokens} of them reasoning` : "";
    const time = a.e2e_s === undefined ? "" : `${seconds(a.e2e_s)} s` + (a.ttft_s === undefined ? "" : `, first token ${seconds(a.ttft_s)} s`);
    const origin = a.reused ? `re-used from ${a.reused}, ${a.date}` : "";
    return [s.id, s.cluster, who(a), a.model, time, tokens, thought, a.status === "ok" ? usd(a.cost_usd) : "", origin].filter(Boolean).join(" · ");
  };
  const said = (a) => {
    const box = make("div"), s = data.samples[a.sample];
    box.append(make("h3", s.question), make("p", meta(a), "meta"));
    if (a.status !== "ok") {
      const whose = a.owner === "candidate" ? "The candidate's own failure" : "Our failure, not the candidate's";
      box.append(make("p", `${whose}: ${state(a)}. ${a.detail || ""}`, "problem"));
    }
    box.append(make("pre", a.text || (a.status === "ok" ? "(empty answer)" : "")));
    if (a.turns) a.turns.forEach((turn, i) => box.append(folded(`Turn ${i + 1}`, turn)));
    if (s.reference !== null) box.append(folded("Reference", s.reference));
    if (s.context.length) box.append(folded(`Context (${s.context.length})`, s.context.join("\n\n")));
    const passage = (p) => (typeof p === "string" ? p : p.text || JSON.stringify(p));
    if (a.retrieved) box.append(folded(`Retrieved (${a.retrieved.length})`, a.retrieved.map(passage).join("\n\n")));
    if (a.tool_calls) box.append(folded("Tool calls", JSON.stringify(a.tool_calls, null, 2)));
    if (a.reasoning) box.append(folded("The model's reasoning (no judge saw it)", a.reasoning));
    return box;
  };
  const grade = (value, title, words, missing) => {
    const box = make("div", undefined, missing ? "grade missing" : "grade");
    box.append(make("span", value, "value"), make("span", title));
    if (words) box.append(make("div", words, "words"));
    return box;
  };
  const graded = (a) => {
    const box = make("div");
    for (const judge of judges) {
      const own = (a.grades || []).filter((g) => g[0] === judge);
      if (!own.length) continue;
      const i = data.columns.findIndex((c) => c.source === judge && c.measure === "composite");
      box.append(make("p", judge + (i >= 0 ? `, composite ${number(a.values[i])}` : ""), "judge"));
      for (const [, criterion, turn, repeat, score, status, words] of own) {
        const title = [criterion, turn ? `turn ${turn}` : "", repeat ? `repeat ${repeat + 1}` : ""].filter(Boolean).join(", ");
        box.append(grade(status === "scored" ? number(score) : status.replaceAll("_", " "), title, words, status !== "scored"));
      }
    }
    for (const [measure, value, why] of a.scores || []) box.append(grade(number(value), measure, why, value === null));
    return box;
  };
  const pick = (a) => {
    picked = a;
    detail.replaceChildren(...(a ? [said(a), graded(a)] : []));
  };
  const move = (step) => {
    const index = Math.min(rows.length - 1, Math.max(0, rows.indexOf(picked) + step));
    if (index < 0 || !rows[index]) return;
    pick(rows[index]);
    const top = index * HEIGHT, room = list.clientHeight - 2 * HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top > list.scrollTop + room) list.scrollTop = top - room;
    draw();
  };

  columns.forEach((c, i) => {
    const cell = make("th", undefined, c.kind), button = make("button", c.name);
    button.type = "button";
    button.title = `Sort by ${c.name}`;
    cell.scope = "col";
    cell.style.width = `${c.width}%`;
    button.addEventListener("click", () => {
      sort = { column: i, down: sort.column === i ? !sort.down : false };
      [...head.children].forEach((th, k) => (k === i ? th.setAttribute("aria-sort", sort.down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
      list.scrollTop = 0;
      refresh();
    });
    cell.append(button);
    head.append(cell);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-index]");
    if (!row) return;
    pick(rows[Number(row.dataset.index)]);
    draw();
  });
  const restart = () => { list.scrollTop = 0; refresh(); };
  search.addEventListener("input", restart);
  for (const id of ["candidate", "status", "score"]) find(id).addEventListener("change", restart);
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
    const inList = document.activeElement === list;
    const step = { j: 1, k: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1 } : {}) }[event.key];
    if (step) { event.preventDefault(); move(step); }
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    return undefined;
  });
  list.parentElement.hidden = false;
  fillToolbar();
  refresh();
})();
