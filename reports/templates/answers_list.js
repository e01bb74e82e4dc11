// The list: filters, sorting, and a table of which only the rows in view exist.
const HEIGHT = 32, SPARE = 12, PIXELS = 9.5;

// Wide enough for the longest word of a heading, up to 18 letters.
const fitting = (label) => Math.max(8, (12 + 8.2 * Math.min(18, Math.max(...label.split(" ").map((word) => word.length)))) / PIXELS);

const columnsOf = (data, words) => [
  { name: "question", value: (a) => a.sample, show: (a) => oneLine(data.samples[a.sample].question), kind: "text", width: 24 },
  { name: "candidate", value: words.who, show: words.who, kind: "text", width: 13 },
  ...data.columns.map((c, i) => ({
    name: words.label(c), value: (a) => a.values[i], show: (a) => number(a.values[i]), width: fitting(words.label(c)),
  })),
  ...(data.answers.some((a) => a.apart > 0)
    ? [{ name: "apart", about: "how far judges, repeats or people are apart on it, as a share of the scale", value: (a) => a.apart, show: (a) => (absent(a.apart) ? DASH : `${Math.round(100 * a.apart)} %`), width: 6 }] : []),
  { name: "seconds", value: (a) => a.e2e_s, show: (a) => seconds(a.e2e_s), width: 7 },
  { name: "status", value: state, show: (a) => state(a) || "ok", width: 9,
    tint: (a) => (a.status !== "ok" ? "failed" : a.unscored ? "warned" : "") },
];

const statesOf = (data) => ({
  "": ["all answers", () => true],
  ok: ["answered", (a) => a.status === "ok"],
  candidate: ["failed: the candidate's own", (a) => a.owner === "candidate"],
  ours: ["failed: ours", (a) => a.owner === "ours"],
  unscored: ["not scored", (a) => Boolean(a.unscored)],
  disputed: ["disputed", (a) => a.apart >= data.disputed - 1e-9],
  reused: ["re-used replies", (a) => Boolean(a.reused)],
});

const option = (value, text) => {
  const element = make("option", text);
  element.value = value;
  return element;
};

const fillToolbar = (data, words, states) => {
  find("candidate").append(option("", "all candidates"), ...data.candidates.map((name, i) => option(String(i), name)));
  for (const [value, [text, test]] of Object.entries(states)) {
    if (!value || data.answers.some(test)) find("status").append(option(value, text));
  }
  const tags = [...new Set(data.samples.flatMap((s) => s.tags))].sort();
  find("tag").append(option("", "all tags"), ...tags.map((tag) => option(tag, tag)));
  find("tag").hidden = !tags.length;
  find("measure").append(...data.columns.map((c, i) => option(String(i), words.label(c))));
  find("measure").parentElement.hidden = !data.columns.length;
};

// The answers that the toolbar lets through. Searching looks at questions, answers and ids.
const filtered = (data, states, haystack) => {
  const needle = find("search").value.trim().toLowerCase(), name = find("candidate").value, tag = find("tag").value;
  const candidate = name === "" ? null : data.candidates[Number(name)], status = states[find("status").value][1];
  const column = Number(find("measure").value), [low, high] = ["low", "high"].map((id) => find(id).valueAsNumber);
  const inRange = (a) => {
    if (Number.isNaN(low) && Number.isNaN(high)) return true;
    const value = a.values[column];
    return !absent(value) && !(value < low - 1e-9) && !(value > high + 1e-9);
  };
  return data.answers.filter((a) => (candidate === null || a.candidate === candidate) && status(a) && inRange(a)
    && (!tag || data.samples[a.sample].tags.includes(tag)) && (!needle || haystack(a).includes(needle)));
};

const searchable = (data) => {
  const known = new Map();
  return (a) => {
    if (!known.has(a)) {
      const s = data.samples[a.sample];
      known.set(a, [s.id, s.question, a.text, a.detail].filter(Boolean).join("\n").toLowerCase());
    }
    return known.get(a);
  };
};

const compare = (x, y) => (typeof x === "string" || typeof y === "string" ? String(x).localeCompare(String(y), "en") : x - y);
const sorted = (rows, value, down) => rows.map((a, i) => [a, value(a), i]).sort(([, x, i], [, y, j]) => {
  if (absent(x) || absent(y)) return absent(x) - absent(y) || i - j;
  return (down ? -1 : 1) * compare(x, y) || i - j;
}).map(([a]) => a);

const space = (pixels, columns) => {
  const row = make("tr", undefined, "space"), cell = make("td");
  row.setAttribute("role", "presentation");
  cell.colSpan = columns;
  cell.style.height = `${pixels}px`;
  row.append(cell);
  return row;
};

const rowOf = (a, index, columns, isPicked) => {
  const row = make("tr", undefined, isPicked ? "picked" : "");
  row.dataset.index = index;
  row.id = `row-${index}`;
  row.setAttribute("aria-rowindex", index + 2);
  row.setAttribute("aria-selected", String(isPicked));
  for (const c of columns) {
    const cell = make("td", c.show(a), [c.kind, c.tint && c.tint(a)].filter(Boolean).join(" "));
    cell.setAttribute("role", "gridcell");
    if (c.kind) cell.title = cell.textContent;
    row.append(cell);
  }
  return row;
};

const heading = (c, onClick) => {
  const cell = make("th", undefined, c.kind), button = make("button", c.name);
  button.type = "button";
  button.title = c.about ? `${c.about}; sorts by it` : `Sort by ${c.name}`;
  cell.scope = "col";
  cell.style.width = `${c.width * PIXELS}px`;
  button.addEventListener("click", onClick);
  cell.append(button);
  return cell;
};
