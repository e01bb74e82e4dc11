// All answers to one question side by side, in a dialog.
const scoreLine = (data, words, a) => {
  const line = make("dl", undefined, "scores");
  data.columns.forEach((c, i) => {
    if (absent(a.values[i])) return;
    const pair = make("div");
    pair.append(make("dt", words.label(c)), make("dd", number(a.values[i])));
    line.append(pair);
  });
  return line;
};

const side = (data, words, a) => {
  const box = make("section", undefined, "side");
  box.append(make("h4", words.who(a)), scoreLine(data, words, a), ...said(a), ...more(data, a));
  const why = make("details"), grades = graded(data, words, a);
  why.append(make("summary", "What the judges said"), ...grades);
  if (grades.length) box.append(why);
  box.append(make("p", words.meta(a), "meta"));
  return box;
};

const showSides = (data, words, sample, place) => {
  const order = new Map(data.candidates.map((name, i) => [name, i]));
  const answers = data.answers.filter((a) => a.sample === sample).sort((a, b) => order.get(a.candidate) - order.get(b.candidate) || a.trial - b.trial);
  const missing = data.candidates.filter((name) => !answers.some((a) => a.candidate === name));
  const none = missing.map((name) => {
    const box = make("section", undefined, "side");
    box.append(make("h4", name), make("p", "No answer to this question in this page.", "meta"));
    return box;
  });
  find("sides-question").textContent = data.samples[sample].question;
  find("sides-given").replaceChildren(...given(data, data.samples[sample]));
  find("sides-columns").replaceChildren(...answers.map((a) => side(data, words, a)), ...none);
  find("sides-place").value = place;
  find("sides-body").scrollTop = 0;
};
