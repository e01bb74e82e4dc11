"use strict";
// The little Markdown that answers are written in, as elements. A text becomes text nodes and nothing else: no address
// is followed, no attribute is set from it. Every search either moves on or is never made again, so time is linear.
const markdown = (() => {
  const DEEPEST = 6, MOST = 3000; // a text that would be thousands of elements is shown as it is from there on
  let made = 0;
  const FENCE = /^ {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$/, HEADING = /^ {0,3}(#{1,6})[ \t]+(.*)$/, QUOTE = /^ {0,3}> ?(.*)$/;
  const BULLET = /^( {0,12})([-*+]|\d{1,9}[.)])([ \t]+)(.*)$/, RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
  const LINK = /!?\[([^[\]\n]{1,500})\]\(([^()\s]{0,2000})\)/y;
  const word = /[\p{L}\p{N}_]/u;

  const make = (tag, ...children) => {
    const element = document.createElement(tag);
    made += 1;
    element.append(...children);
    return element;
  };

  const inline = (text, into, depth = 0) => {
    const none = new Set(); // marks that are not closed anywhere further on
    let plain = 0, at = 0;
    const flush = (end) => { if (end > plain) into.append(text.slice(plain, end)); };
    const emit = (element, from, to) => { flush(from); into.append(element); plain = at = to; };
    const closing = (mark, from) => {
      if (none.has(mark)) return -1;
      const found = text.indexOf(mark, from);
      if (found < 0) none.add(mark);
      return found;
    };
    while (at < text.length && made < MOST) {
      const c = text[at];
      if (c === "`") {
        let end = at;
        while (text[end] === "`") end += 1;
        const mark = text.slice(at, end), close = closing(mark, end);
        if (close > 0) emit(make("code", text.slice(end, close)), at, close + mark.length);
        else at = end;
      } else if ((c === "*" || c === "_") && depth < DEEPEST) {
        const mark = text[at + 1] === c ? c + c : c, start = at + mark.length;
        const inside = c === "_" && at > 0 && word.test(text[at - 1]);
        const close = inside || !text[start]?.trim() ? -1 : closing(mark, start + 1);
        const after = close + mark.length;
        if (close > 0 && text[close - 1].trim() && !(c === "_" && after < text.length && word.test(text[after]))) {
          const element = make(mark.length > 1 ? "strong" : "em");
          inline(text.slice(start, close), element, depth + 1);
          emit(element, at, after);
        } else at = start;
      } else if (c === "[" || (c === "!" && text[at + 1] === "[")) {
        LINK.lastIndex = at;
        const found = LINK.exec(text);
        if (found) emit(make("span", `${c === "!" ? "image: " : ""}${found[1]} (${found[2]})`), at, LINK.lastIndex);
        else at += 1;
      } else if (c === "\\" && "*_`#[]".includes(text[at + 1] ?? " ")) {
        flush(at);
        plain = at + 1;
        at += 2;
      } else at += 1;
    }
    flush(text.length);
    return into;
  };

  const starts = (line) => !line.trim() || [FENCE, HEADING, QUOTE, BULLET, RULE].some((form) => form.test(line)) || line.startsWith("|");

  const list = (lines, from, into, depth) => {
    const ordered = /\d/.test(BULLET.exec(lines[from])[2]), indent = BULLET.exec(lines[from])[1].length;
    const element = make(ordered ? "ol" : "ul");
    if (ordered) element.start = parseInt(BULLET.exec(lines[from])[2], 10);
    let at = from;
    while (at < lines.length) {
      const found = BULLET.exec(lines[at]);
      if (!found || found[1].length < indent || found[1].length > indent + 1 || /\d/.test(found[2]) !== ordered) break;
      const own = [found[4]];
      for (at += 1; at < lines.length; at += 1) {
        const line = lines[at], deep = line.search(/\S/);
        if (deep < 0 ? !(/^\s/.test(lines[at + 1] ?? "") || BULLET.test(lines[at + 1] ?? "")) : deep <= indent + 1 && starts(line)) break;
        if (deep >= 0 && deep <= indent && !lines[at - 1].trim()) break;
        own.push(line.slice(Math.min(Math.max(deep, 0), indent + found[2].length + 1)));
      }
      const item = make("li");
      if (own.length === 1) inline(own[0], item);
      else blocks(own, item, depth + 1);
      element.append(item);
    }
    into.append(element);
    return at;
  };

  const blocks = (lines, into, depth = 0) => {
    let at = 0;
    const run = (test) => {
      const from = at;
      while (at < lines.length && test(lines[at], at - from)) at += 1;
      return lines.slice(from, at);
    };
    while (at < lines.length) {
      const line = lines[at], fence = FENCE.exec(line), heading = HEADING.exec(line);
      if (made >= MOST) {
        into.append(make("p", lines.slice(at).join("\n")));
        break;
      } else if (!line.trim()) at += 1;
      else if (fence) {
        at += 1;
        const mark = fence[1] ?? fence[3], info = (fence[2] ?? fence[4]).trim();
        const shut = new RegExp(`^ {0,3}\\${mark[0]}{${Math.min(mark.length, 20)},}[ \\t]*$`);
        const code = make("code", run((one) => !shut.test(one)).join("\n"));
        into.append(info ? make("pre", make("small", info), code) : make("pre", code));
        at += 1;
      } else if (heading) {
        into.append(inline(heading[2], make(`h${Math.min(6, heading[1].length + 2)}`)));
        at += 1;
      } else if (RULE.test(line)) {
        into.append(make("hr"));
        at += 1;
      } else if (QUOTE.test(line) && depth < DEEPEST) {
        const quote = make("blockquote");
        blocks(run((one) => QUOTE.test(one)).map((one) => QUOTE.exec(one)[1]), quote, depth + 1);
        into.append(quote);
      } else if (BULLET.test(line) && depth < DEEPEST) at = list(lines, at, into, depth);
      else if (line.startsWith("|")) into.append(make("pre", run((one) => one.startsWith("|")).join("\n")));
      else into.append(inline(run((one, n) => !n || !starts(one)).join("\n"), make("p")));
    }
    return into;
  };

  return (text) => {
    made = 0;
    return blocks(text.replace(/\r\n?/g, "\n").split("\n"), document.createDocumentFragment());
  };
})();
