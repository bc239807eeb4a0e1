// One query, read by one, two or four heads: each shares out a whole of its own.
import { WIDTH, brief, dot, grouped, picture, shares, softmax, text } from "./kit.mjs";

export const title = "The weights of each head, side by side";

export const first = (data) => ({ heads: data.counts.indexOf(2), query: data.query });

export const controls = (data) => [
  { kind: "choice", name: "heads", label: "Heads", options: data.counts.map(String) },
  ...data.features.map((feature, i) => ({
    kind: "range", name: `query.${i}`, label: `Asks: ${feature}`, role: "query", min: 0, max: 4, step: 0.5,
    words: (state) => brief(state.query[i], 1),
  })),
];

export function compute(data, state) {
  const keys = data.split_keys[state.heads]; // (heads, words, width)
  const width = keys[0][0].length;
  return keys.map((rows, head) => {
    const query = state.query.slice(head * width, (head + 1) * width);
    const scores = rows.map((key) => dot(query, key) / Math.sqrt(width));
    return { query, scores, weights: softmax(scores) };
  });
}

const reads = (data, head, width) => data.features.slice(head * width, (head + 1) * width).join(", ");

export function draw(data, state) {
  const heads = compute(data, state);
  const beside = heads.length === 1 ? 1 : 2;
  const wide = WIDTH / beside;
  const tall = 152;
  const panels = heads.map(({ query, weights }, head) => {
    const [left, top] = [(head % beside) * wide, Math.floor(head / beside) * tall];
    return text(left + wide / 2, top + 14, `head ${head}: ${reads(data, head, query.length)}`, "mid bold") +
      text(left + wide / 2, top + 30, `query (${query.map((number) => brief(number, 1)).join(", ")})`, "mid query small") +
      shares(left, top + 36, wide - 4, data.words, weights);
  });
  return picture(title, tall * Math.ceil(heads.length / beside), panels.join(""));
}

export function say(data, state) {
  const heads = compute(data, state);
  const query = state.query.map((number) => brief(number, 1)).join(", ");
  const parts = heads.map(({ query: own, weights }, head) =>
    `head ${head} (${reads(data, head, own.length)}) gives ${grouped(data.words, weights)}`);
  return `Query (${query}), ${heads.length === 1 ? "one head" : `${heads.length} heads`}: ${parts.join("; ")}.`;
}
