// Masks combine with "and". Every mask was made by the package at build time, as rows of
// 0 and 1; the script lays them over each other.
import { cell, picture, range, text } from "./kit.mjs";

export const title = "Which query may see which key";

export const first = (data) => ({
  queries: 2, offset: 3, causal: true, padding: false, length: 3, sliding: false, window: 2,
});

const size = (name, label, min, max, off) => ({
  kind: "range", name, label, min, max, step: 1, words: (state) => String(state[name]), off,
});
export const controls = (data) => [
  {
    kind: "group", label: "Masks",
    parts: [
      { kind: "check", name: "causal", label: "causal" },
      { kind: "check", name: "padding", label: "padding" },
      { kind: "check", name: "sliding", label: "sliding window" },
    ],
  },
  size("queries", "Queries, n_q", 1, data.words.length),
  size("offset", "Offset", 0, data.words.length - 1),
  size("length", "Real words", 0, data.words.length, (state) => !state.padding),
  size("window", "Window", 1, data.words.length, (state) => !state.sliding),
];

const row_of = (bits) => [...bits].map(Number);

export function compute(data, state) {
  const layers = [
    state.causal && data.causal[state.offset],
    state.sliding && data.window[state.window - 1][state.offset],
    state.padding && range(state.queries).map(() => data.padding[state.length]),
  ].filter(Boolean);
  return range(state.queries).map((i) =>
    data.words.map((_, j) => Number(layers.every((mask) => row_of(mask[i])[j]))),
  );
}

const placed = (data, state) => data.words.map((word, j) => (state.padding && j >= state.length ? "–" : word));

export function draw(data, state) {
  const mask = compute(data, state);
  const [left, top, wide, high] = [104, 46, 54, 30];
  const names = placed(data, state);
  const keys = names.map((word, j) => text(left + (j + 0.5) * wide, top - 8, word, "mid key"));
  const rows = mask.map((row, i) => {
    const y = top + i * high;
    const beside = names[i + state.offset];
    return text(left - 8, y + 20, `query ${i}${beside === undefined ? "" : `, ${beside}`}`, "end query") +
      row.map((seen, j) => cell(left + j * wide + 2, y + 2, wide - 4, high - 4, seen, seen ? "1" : "0",
        `${seen ? "" : "off"}${j === i + state.offset ? " mark" : ""}`)).join("");
  });
  const note = text(left, top + state.queries * high + 18, "framed: the query’s own place", "small muted");
  return picture(title, top + data.words.length * high + 24, [text(left + 2.5 * wide, 16, "keys", "mid muted small"), ...keys, ...rows, note].join(""));
}

export function say(data, state) {
  const mask = compute(data, state);
  const used = [
    state.causal && "causal",
    state.padding && `padding after ${state.length} real words`,
    state.sliding && `a window of ${state.window}`,
  ].filter(Boolean);
  const rows = mask.map((row, i) => {
    const seen = row.flatMap((allowed, j) => (allowed ? [j] : []));
    return `query ${i} sees ${seen.length ? seen.join(", ") : "nothing"}`;
  });
  const count = mask.flat().filter(Boolean).length;
  return `${used.length ? `Masks: ${used.join(" and ")}` : "No mask"}; offset ${state.offset}. ` +
    `${count} of ${mask.flat().length} pairs are allowed: ${rows.join("; ")}.`;
}
