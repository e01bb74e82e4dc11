// One answer: what was asked and given, what was said, and what judges and people made of it.
const folded = (title, text) => {
  const element = make("details");
  element.append(make("summary", title), make("pre", text));
  return element;
};

const passageText = (data, number, name) => {
  const { text, id, length } = data.passages[number];
  if (text !== undefined) return name ? `[${name}] ${text}` : text;
  return `[${id}: ${length.toLocaleString("en")} characters, not in this page, which holds 2 MB of passages]`;
};

const given = (data, s) => {
  const found = [];
  if (!absent(s.reference)) found.push(folded("Reference", s.reference));
  if (s.context.length) found.push(folded(`Context (${s.context.length})`, s.context.map((n) => passageText(data, n)).join("\n\n")));
  return found;
};

// What the candidate said, and below it what else there is of the answer, folded.
const said = (a) => {
  const found = [];
  if (a.status !== "ok") {
    const whose = a.owner === "candidate" ? "The candidate's own failure" : "Our failure, not the candidate's";
    found.push(make("p", `${whose}: ${state(a)}. ${a.detail || ""}`, "problem"));
  }
  if (a.text || a.status === "ok") found.push(make("pre", a.text || "(empty answer)"));
  return found;
};

const more = (data, a) => {
  const found = (a.turns || []).map((turn, i) => folded(`Turn ${i + 1}`, typeof turn === "string" ? turn : JSON.stringify(turn, null, 2)));
  if (a.retrieved) found.push(folded(`Retrieved (${a.retrieved.length})`, a.retrieved.map(([n, name]) => passageText(data, n, name)).join("\n\n")));
  if (a.tool_calls) found.push(folded("Tool calls", JSON.stringify(a.tool_calls, null, 2)));
  if (a.reasoning) found.push(folded("The model's reasoning (no judge saw it)", a.reasoning));
  return found;
};

const grade = (value, title, words, missing) => {
  const box = make("div", undefined, missing ? "grade missing" : "grade");
  box.append(make("span", value, "value"), make("span", title));
  if (words) box.append(make("div", words, "words"));
  return box;
};

const graded = (data, words, a) => {
  const found = [];
  for (const judge of words.judges) {
    const own = (a.grades || []).filter((g) => g[0] === judge);
    if (!own.length) continue;
    const i = data.columns.findIndex((c) => c.source === judge && c.measure === "composite");
    found.push(make("p", judge + (i >= 0 ? `, composite ${number(a.values[i])}` : ""), "judge"));
    for (const [, criterion, turn, repeat, score, status, why] of own) {
      const title = [criterion, turn ? `turn ${turn}` : "", repeat ? `repeat ${repeat + 1}` : ""].filter(Boolean).join(", ");
      found.push(grade(status === "scored" ? number(score) : status.replaceAll("_", " "), title, why, status !== "scored"));
    }
  }
  if (a.labels) found.push(make("p", "people", "judge"));
  for (const [annotator, criterion, score] of a.labels || []) found.push(grade(number(score), `${criterion}, ${annotator}`));
  if (a.scores) found.push(make("p", "measures without a judge", "judge"));
  for (const [measure, value, why] of a.scores || []) found.push(grade(number(value), measure, why, value === null));
  return found;
};

const opened = (data, words, a) => {
  const left = make("div"), right = make("div"), s = data.samples[a.sample];
  left.append(make("h3", s.question), make("p", words.meta(a), "meta"), ...said(a), ...given(data, s), ...more(data, a));
  right.append(...graded(data, words, a));
  return [left, right];
};
