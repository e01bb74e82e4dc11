(() => {
  const find = (id) => document.getElementById(id);
  const DIGITS = "0123456789x", PLACES = "1234567890x", AGAIN_MS = 1500, PATIENCE_MS = 15000;
  const CHOICES = [["first", "1", "The first is better"], ["second", "2", "The second is better"], ["tie", "0", "Neither is better"]];
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  const make = (tag, text, kind) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const button = (text, press, key) => {
    const element = make("button", text);
    element.type = "button";
    element.addEventListener("click", press);
    if (key) element.append(" ", make("kbd", key));
    return element;
  };

  class Refused extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }
  const ask = async (path, body) => {
    const sent = body && { method: "POST", headers: { "Content-Type": "application/json", "X-Markscheme": "review" }, body: JSON.stringify(body) };
    const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), ...sent });
    const found = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refused(response.status, found.error || `the server said ${response.status}`);
    return found;
  };
  const say = (text) => {
    find("banner").hidden = !text;
    find("banner").textContent = text;
  };
  // Asks until there is an answer: a server that is gone or busy comes back, a mistake of ours does not go away.
  const insist = async (path, body) => {
    for (;;) {
      try {
        const found = await ask(path, body);
        say("");
        return found;
      } catch (error) {
        const gone = !(error instanceof Refused), kept = body && "seconds" in body ? "Your rating is kept here: leave this page open. " : "";
        if (!gone && error.status !== 401 && error.status < 500) {
          say(error.message);
          throw error;
        }
        say(gone ? `The server does not answer. ${kept}Trying again…`
          : error.status === 401 ? `The server was started again. ${kept}Open the address that it printed.`
          : `${error.message}. ${kept}Trying again…`);
        await pause(AGAIN_MS);
      }
    }
  };

  let review, rater = "", lines = [], at = 0, item = null, draft = null, current = 0, busy = 0, plain = false;
  const drafts = new Map(); // rater and item -> what is pressed or typed and not kept yet; `dirty` if it would be missed
  const place = (id) => `${rater}\n${id}`;

  const clock = {
    since: null,
    run() { this.since ??= document.hidden || !item ? null : performance.now(); },
    stop() {
      if (this.since !== null && draft) draft.seconds += (performance.now() - this.since) / 1000;
      this.since = null;
    },
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? clock.stop() : clock.run()));

  const only = (id) => {
    for (const name of ["door", "desk", "done"]) find(name).hidden = name !== id;
    if (id !== "desk") {
      clock.stop();
      item = draft = null;
    }
  };
  const rated = () => lines.filter((line) => line.rated_at !== null).length;
  const progress = () => {
    find("bar").max = Math.max(1, lines.length);
    find("bar").value = rated();
    find("count").textContent = `${rated()} of ${lines.length} rated`;
  };
  const saved = (text, kind = "") => {
    find("saved").textContent = text;
    find("saved").className = kind;
  };

  // Texts. What a model wrote is handed to markdown() or textContent, nothing else.
  const write = (into, text) => {
    into.replaceChildren(plain ? make("pre", text, "raw") : markdown(text));
    into.classList.toggle("empty", !text.trim());
  };
  const passages = (into, texts) => into.replaceChildren(...texts.map((text) => {
    const block = make("div", undefined, "text passage");
    block.dir = "auto";
    write(block, text);
    return block;
  }));
  const showTexts = () => {
    write(find("question"), item.question);
    find("reference-card").hidden = item.reference === null;
    write(find("reference"), item.reference ?? "");
    find("context-card").hidden = !item.context.length;
    find("passages").textContent = item.context.length > 1 ? `${item.context.length} passages` : "";
    passages(find("context"), item.context);
    find("answers").className = item.answers.length > 1 ? "two" : "";
    find("answers").replaceChildren(...item.answers.map((text, i) => {
      const card = make("article", undefined, "card answer"), body = make("div", undefined, "text");
      body.dir = "auto";
      write(body, text);
      card.append(make("h2", item.answers.length > 1 ? ["First answer", "Second answer"][i] : "Answer"), body);
      const given = item.passages[i] ?? [];
      if (given.length) {
        const more = make("details"), inside = make("div");
        passages(inside, given);
        more.append(make("summary", `What it was given: ${given.length} ${given.length > 1 ? "passages" : "passage"}`), inside);
        card.append(more);
      }
      return card;
    }));
    if (item.stale) find("answers").append(make("p", STALE[item.stale], "card stale"));
  };
  const STALE = {
    changed: "This answer is no longer the one that was drawn. It cannot be rated; go on with Next.",
    purged: "The words of this answer were purged. It cannot be rated; go on with Next.",
    gone: "This answer is no longer in the workspace. It cannot be rated; go on with Next.",
  };

  // Rating.
  const keyOf = (criterion, i) => {
    const scores = criterion.levels.map((level) => level.score);
    return scores.every((score) => score >= 0 && score <= 10) ? DIGITS[scores[i]] : PLACES[i];
  };
  const kept = () => item.given !== null;
  const complete = () => review.criteria.every((criterion) => criterion.name in draft.scores);
  const drawCriteria = () => {
    const box = find("criteria");
    if (review.mode === "pairs") return drawChoices(box);
    box.replaceChildren(...review.criteria.map((criterion, number) => {
      const group = make("div", undefined, "criterion" + (number === current ? " current" : "")), chosen = draft.scores[criterion.name];
      group.setAttribute("role", "radiogroup");
      group.setAttribute("aria-label", criterion.name);
      group.tabIndex = 0;
      group.addEventListener("focus", () => number !== current && choose(number));
      const head = make("div", undefined, "head");
      head.append(make("b", criterion.name), make("span", chosen === undefined ? "" : String(chosen), "score"));
      head.addEventListener("click", () => choose(number));
      const levels = criterion.levels.map((level, i) => {
        const key = keyOf(criterion, i), choice = button("", () => grade(number, level.score));
        choice.append(make("kbd", key), make("span", (String(level.score) === key ? "" : `${level.score}: `) + level.description, "words"));
        choice.setAttribute("role", "radio");
        choice.setAttribute("aria-checked", String(chosen === level.score));
        choice.setAttribute("aria-label", `${level.score}: ${level.description}`);
        choice.tabIndex = -1;
        return choice;
      });
      const row = make("div", undefined, "levels");
      row.append(...levels);
      group.append(head, make("p", criterion.description, "soft about"), row);
      return group;
    }));
  };
  const drawChoices = (box) => {
    const row = make("div", undefined, "choices");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Which answer is better?");
    row.append(...CHOICES.map(([name, key, words]) => {
      const choice = button("", () => prefer(name));
      choice.append(make("kbd", key), make("span", words, "words"));
      choice.setAttribute("aria-pressed", String(draft.choice === name));
      return choice;
    }));
    box.replaceChildren(make("b", "Which answer is better?"), row);
  };
  const choose = (number) => {
    current = Math.max(0, Math.min(review.criteria.length - 1, number));
    drawCriteria();
    find("criteria").children[current]?.focus({ preventScroll: true });
  };
  const firstOpen = () => Math.max(0, review.criteria.findIndex((criterion) => !(criterion.name in draft.scores)));
  const grade = (number, score) => {
    if (busy || item.stale) return;
    const name = review.criteria[number].name;
    draft.scores[name] = score;
    draft.order = [...draft.order.filter((other) => other !== name), name];
    touch();
    const was = kept();
    if (complete()) keep(!was);
    choose(complete() ? number : firstOpen());
  };
  const prefer = (choice) => {
    if (busy || item.stale) return;
    draft.choice = choice;
    touch();
    const was = kept();
    drawCriteria();
    keep(!was);
  };
  const touch = () => {
    draft.dirty = draft.order.length > 0 || draft.choice !== null || draft.note !== (item.given?.note ?? "");
    drafts.set(place(item.id), draft);
    saved(draft.dirty ? "not saved yet" : "", "open");
  };
  const keep = async (goOn) => {
    if (busy || item.stale || (review.mode === "pairs" ? !draft.choice : !Object.keys(draft.scores).length)) return;
    clock.stop();
    clock.run();
    const line = lines[at], own = draft;
    const rating = { rater, item: item.id, note: own.note, seconds: own.seconds };
    if (review.mode === "pairs") rating.choice = own.choice;
    else rating.scores = own.scores;
    await working(async () => {
      saved("saving…");
      await insist("/api/rating", rating);
      drafts.delete(place(line.id));
      own.dirty = false;
      line.rated_at = Date.now() / 1000;
      if (item?.id === line.id) item.given = { ...rating };
      saved("saved", "fine");
      progress();
      if (goOn) await toOpen();
    }).catch(() => saved("not saved", "open"));
  };
  // One thing after the other; grades that are pressed meanwhile are not taken for an answer to what shows next.
  let queue = Promise.resolve();
  const working = (job) => {
    busy += 1;
    document.body.setAttribute("aria-busy", "true");
    const done = queue.then(job).finally(() => {
      busy -= 1;
      if (!busy) document.body.removeAttribute("aria-busy");
    });
    queue = done.catch(() => {});
    return done;
  };
  const skipped = new Set(); // what cannot be rated any more
  const toOpen = async () => {
    const wanted = (line) => line.rated_at === null && !skipped.has(line.id);
    const later = lines.findIndex((line, i) => i > at && wanted(line)), any = lines.findIndex(wanted);
    if (any < 0) finish();
    else await open(later < 0 ? any : later);
  };

  // Moving.
  const open = async (number) => {
    const line = lines[number], found = await insist(`/api/item?rater=${encodeURIComponent(rater)}&id=${encodeURIComponent(line.id)}`);
    clock.stop();
    [at, item] = [number, found];
    if (item.stale) skipped.add(item.id);
    line.rated_at = item.given ? line.rated_at ?? Date.now() / 1000 : null;
    const given = item.given ?? { scores: {}, choice: null, note: "", seconds: 0 };
    draft = drafts.get(place(item.id)) ?? { ...given, scores: { ...given.scores }, order: [], dirty: false };
    only("desk");
    find("place").textContent = `Item ${at + 1} of ${lines.length}${item.given ? ", rated" : ""}`;
    find("note").value = draft.note;
    find("back").disabled = at === 0;
    find("next").disabled = at === lines.length - 1;
    showTexts();
    progress();
    window.scrollTo(0, 0);
    for (const id of ["material", "panel"]) find(id).scrollTop = 0;
    choose(firstOpen());
    if (review.mode === "pairs") document.activeElement.blur();
    clock.run();
  };
  const move = (step) => working(async () => {
    if (item && lines[at + step]) await open(at + step);
  }).catch(() => {});
  // Takes back the last key of a half-graded answer, else the rating given last, whatever shows.
  const undo = () => working(async () => {
    if (item && !kept() && draft.order.length) {
      delete draft.scores[draft.order.pop()];
      touch();
      choose(firstOpen());
      return;
    }
    const last = lines.reduce((best, line, i) => (line.rated_at !== null && line.rated_at >= (lines[best]?.rated_at ?? 0) ? i : best), -1);
    if (last < 0) return;
    await open(last);
    const { note, seconds } = draft;
    await insist("/api/undo", { rater, item: item.id });
    lines[last].rated_at = null;
    drafts.set(place(item.id), { scores: {}, choice: null, note, seconds, order: [], dirty: Boolean(note) });
    await open(last);
    saved("taken back", "open");
  }).catch(() => {});
  const finish = () => {
    const left = lines.length - rated(), text = left ? `${left} can no longer be rated. ` : "";
    find("done").replaceChildren(
      make("h2", left ? "Nothing is left to rate" : `All ${lines.length} are rated`),
      make("p", `${text}Thank you, ${rater}. You may close this page, or look through your ratings again.`),
      button("Look through them", () => working(() => open(0)).catch(() => {})),
      button("Undo the last", () => busy || undo(), "U"),
    );
    only("done");
    find("done").querySelector("button").focus();
  };

  // Rubric and help.
  const examples = (found) => found.map((example) => {
    const list = make("dl");
    for (const [part, text] of example.parts) list.append(make("dt", part), make("dd", text));
    return list;
  });
  const fillRubric = () => {
    const box = find("rubric-text");
    box.append(make("h2", "Rubric"), make("p", review.description));
    for (const criterion of review.criteria) {
      box.append(make("h3", criterion.name), make("p", criterion.description));
      for (const level of criterion.levels) box.append(make("h4", `${level.score}: ${level.description}`), ...examples(level.examples));
    }
    for (const matter of review.considerations) box.append(make("h3", matter.name), make("p", matter.description));
    box.append(...examples(review.examples));
  };
  const fillKeys = () => {
    const pairs = review.mode === "pairs";
    const rows = [
      ...(pairs ? [["1 or ←", "the first answer is better"], ["2 or →", "the second answer is better"], ["0", "neither is better"]]
        : [["digits", "the score on the marked criterion; the last one keeps the rating and goes on"], ["Tab, ↑, ↓", "another criterion"],
          ["Enter", "keep the rating with criteria left open, and go on"]]),
      ["J, K", "next item, item before"], ["U", "undo"], ["N", "note; Esc leaves it"], ["R", "rubric with worked examples"],
      ["P", "texts as they were written, without Markdown"], ["?", "this list"],
    ];
    find("keys").append(...rows.map(([key, words]) => {
      const row = make("tr");
      row.append(make("th", key), make("td", words));
      return row;
    }));
  };
  const toggle = (id) => {
    const dialog = find(id);
    if (dialog.open) dialog.close();
    else if (!document.querySelector("dialog[open]")) {
      dialog.showModal();
      dialog.scrollTop = 0;
    }
  };
  const togglePlain = () => {
    plain = !plain;
    find("plain").setAttribute("aria-pressed", String(plain));
    if (item) showTexts();
  };

  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !rater) return;
    // Where digits stand behind Shift, the key of the digit counts all the same.
    const key = /^Digit\d$/.test(event.code) ? event.code.slice(5) : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const dialog = document.querySelector("dialog[open]");
    if (/^(TEXTAREA|INPUT)$/.test(event.target.tagName)) {
      if (key === "Escape") event.target.blur();
      return;
    }
    if (dialog && !{ r: "rubric", "?": "help" }[key]) return;
    const act = keyed(key, event);
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || key === "j" || key === "k") act();
  };
  const keyed = (key, event) => {
    const anywhere = { r: () => toggle("rubric"), "?": () => toggle("help"), p: togglePlain, u: () => busy || undo() }[key];
    if (anywhere || !item) return anywhere;
    const moves = { j: () => busy || move(1), k: () => busy || move(-1), n: () => find("note").focus() }[key];
    if (moves) return moves;
    if (review.mode === "pairs") {
      const choice = { 1: "first", ArrowLeft: "first", 2: "second", ArrowRight: "second", 0: "tie" }[key];
      return choice && !event.target.closest("pre") ? () => prefer(choice) : null;
    }
    const steps = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (steps) return event.target.closest("pre") ? null : () => choose(current + steps);
    if (key === "Enter") return event.target.closest("button, summary") ? null : () => keep(!kept());
    const criterion = review.criteria[current], level = criterion.levels.findIndex((_, i) => keyOf(criterion, i) === key);
    return level < 0 ? null : () => grade(current, criterion.levels[level].score);
  };

  // Coming in: the token behind # buys the cookie, then the rater says who it is.
  const enter = async (name) => {
    const found = await insist(`/api/items?rater=${encodeURIComponent(name)}`);
    [rater, lines, at] = [name, found.items, -1];
    sessionStorage.setItem("rater", name);
    find("who").textContent = name;
    find("tools").hidden = find("way").hidden = false;
    progress();
    saved("");
    await toOpen();
  };
  const askWho = () => {
    const door = find("door"), come = (name) => working(() => enter(name)).catch(() => {});
    rater = "";
    sessionStorage.removeItem("rater");
    find("tools").hidden = find("way").hidden = true;
    door.replaceChildren(make("h2", "Who is rating?"), ...review.raters.map((name) => button(name, () => come(name))));
    if (review.new_raters) {
      const form = make("form"), name = make("input");
      [name.placeholder, name.maxLength, name.required] = ["another name", 60, true];
      name.setAttribute("aria-label", "Another name");
      const start = make("button", "Start");
      form.append(name, start);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (name.value.trim()) come(name.value.trim());
      });
      door.append(form);
    }
    only("door");
    door.querySelector("button").focus();
  };
  const shutOut = (words) => {
    find("door").replaceChildren(make("h2", "Not let in"), make("p", words));
    only("door");
  };
  const redeem = async () => {
    const token = location.hash.slice(1);
    if (!token) return;
    history.replaceState(null, "", location.pathname);
    await ask("/api/session", { token });
  };
  const start = async () => {
    try {
      await redeem();
      review = await ask("/api/review");
    } catch (error) {
      shutOut(error instanceof Refused ? error.message : "The server does not answer. Start it again and open the address that it prints.");
      return;
    }
    document.title = find("name").textContent = `Review ${review.name}${review.round > 1 ? ", second round" : ""}`;
    fillRubric();
    fillKeys();
    const known = sessionStorage.getItem("rater") ?? (review.raters.length === 1 && !review.new_raters ? review.raters[0] : null);
    if (known !== null && (review.new_raters || review.raters.includes(known))) await enter(known).catch(askWho);
    else askWho();
  };

  // The address of a new start in this tab changes what stands behind # only: no reload, and what is unsaved stays.
  window.addEventListener("hashchange", () => (review ? redeem().catch((error) => say(error.message)) : start()));
  window.addEventListener("beforeunload", (event) => { if (busy || [...drafts.values()].some((one) => one.dirty)) event.preventDefault(); });
  document.addEventListener("keydown", press);
  find("note").addEventListener("input", () => {
    draft.note = find("note").value;
    touch();
  });
  find("note").addEventListener("change", () => { if (item && kept()) keep(false); });
  find("who").addEventListener("click", () => busy || askWho());
  find("plain").addEventListener("click", togglePlain);
  find("show-rubric").addEventListener("click", () => toggle("rubric"));
  find("show-help").addEventListener("click", () => toggle("help"));
  find("back").addEventListener("click", () => move(-1));
  find("next").addEventListener("click", () => move(1));
  find("undo").addEventListener("click", () => busy || undo());
  start();
})();
