"use strict";
// What models wrote is only ever set as textContent. It travels deflated, as base64.
const find = (id) => document.getElementById(id);

const make = (tag, text, kind) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};

const bytesOf = (base64) => {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
};

const unpacked = async (id) => {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the answers: it is too old for DecompressionStream, which Chrome and Edge " +
      "have since version 80, Safari since 16.4 and Firefox since 113. Everything else on this page is complete.");
  }
  const stream = new Blob([bytesOf(find(id).textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};
