// Numbers and states as a reader sees them. What is absent is a dash, never a zero.
const DASH = "–";
const absent = (v) => v === null || v === undefined || v === "";
const number = (v) => (absent(v) ? DASH : Number.isInteger(v) ? String(v) : v.toFixed(2));
const seconds = (v) => (absent(v) ? DASH : v >= 10 ? v.toFixed(1) : v >= 0.1 ? v.toFixed(2) : v >= 0.0005 ? v.toFixed(3) : v ? "<0.001" : "0");
const usd = (v) => (absent(v) ? "price unknown" : v === 0 ? "$0" : "$" + v.toPrecision(2));
const state = (a) => (a.status !== "ok" ? a.status.replaceAll("_", " ") : a.unscored ? "not scored" : "");
const oneLine = (text) => text.slice(0, 400).replace(/\s+/g, " ");
const counted = (n, all) => (n === all ? `${all.toLocaleString("en")} answers` : `${n.toLocaleString("en")} of ${all.toLocaleString("en")} answers`);

// What is said of a run's answers, given the run's data.
const wordsOf = (data) => {
  const judges = [...new Set(data.columns.map((c) => c.source).filter(Boolean))];
  const trials = data.answers.some((a) => a.trial > 0);
  const label = (c) => (c.source && judges.length > 1 ? `${c.source} ` : "") + c.measure;
  const who = (a) => a.candidate + (trials ? ` #${a.trial + 1}` : "");
  const meta = (a) => {
    const s = data.samples[a.sample];
    const tokens = absent(a.completion_tokens) ? "" : `${a.completion_tokens} tokens`;
    const thought = a.reasoning_tokens ? `${a.reasoning_tokens} of them reasoning` : "";
    const time = absent(a.e2e_s) ? "" : `${seconds(a.e2e_s)} s` + (absent(a.ttft_s) ? "" : `, first token ${seconds(a.ttft_s)} s`);
    const origin = a.reused ? `re-used from ${a.reused}, ${a.date}` : "";
    return [s.id, s.cluster, who(a), a.model, time, tokens, thought, a.status === "ok" ? usd(a.cost_usd) : "", origin].filter(Boolean).join(" · ");
  };
  return { judges, label, who, meta };
};
