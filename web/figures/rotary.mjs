// A query and a key, turned by their places. The turned vectors were made by the package
// at build time; the script takes two of them and their dot product.
import { WIDTH, arrow, dot, line, dotAt, path, picture, point, range, show, tag, text } from "./kit.mjs";

export const title = "A query and a key, each turned by its place, and their score";

export const first = () => ({ query: 2, key: 5 });

const side = (data, name, label) => ({
  kind: "range", name, label, role: name, min: 0, max: data.turned.length - 1, step: 1, words: (state) => String(state[name]),
});
const both = (by) => (state) => ({ query: state.query + by, key: state.key + by });
export const controls = (data) => [
  side(data, "query", "Query’s place"),
  side(data, "key", "Key’s place"),
  {
    kind: "buttons", label: "Both",
    buttons: [
      { label: "Both a word back", change: both(-1), off: (state) => Math.min(state.query, state.key) === 0 },
      { label: "Both a word on", change: both(1), off: (state) => Math.max(state.query, state.key) === data.turned.length - 1 },
    ],
  },
];

export function compute(data, state) {
  const [query, key] = [data.turned[state.query], data.turned[state.key]];
  return { query, key, distance: state.key - state.query, score: dot(query, key) };
}

export function draw(data, state) {
  const { query, key, distance, score } = compute(data, state);
  const [x, y, radius] = [92, 104, 66];
  // Where they point the same way, they lie side by side, or one would cover the other.
  const beside = distance === 0 ? 1 : 0;
  const hand = ([across, up], words, look, side) => {
    const [dx, dy] = [side * beside * up, side * beside * across];
    const [left, top] = [x + 3 * dx, y + 3 * dy];
    return arrow(left, top, left + radius * across, top - radius * up, look) +
      text(x + 80 * across + 7 * dx, y - 80 * up + 7 * dy + 4, words, `mid bold ${look}`);
  };
  const [start, turn] = [Math.atan2(query[1], query[0]), distance];
  const arc = range(41).map((i) => start + (turn * i) / 40).map((angle, i) => {
    const r = 18 + (Math.abs(turn) * i * 8) / 40 / 6.28;
    return [x + r * Math.cos(angle), y - r * Math.sin(angle)];
  });
  const [left, wide, middle, high] = [204, WIDTH - 216, 104, 62];
  const last = data.turned.length - 1;
  const across = (words) => left + ((words + last) / (2 * last)) * wide;
  const wave = range(8 * last + 1).map((i) => i / 4 - last).map((words) => [across(words), middle - high * Math.cos(words)]);
  const dots = data.by_distance.map((number, i) => dotAt(across(i - last), middle - high * number, 1.8, "muted fill"));
  return picture(title, 226, [
    tag("circle", { cx: x, cy: y, r: radius, class: "rim" }), path(arc, "arc"),
    hand(query, "q", "query", -1), hand(key, "k", "key", 1),
    text(x, 206, `turn from q to k: ${show(distance, 0)} rad`, "mid"),
    line(left, middle, left + wide, middle, "axis"), line(across(0), middle - high - 8, across(0), middle + high + 8, "grid"),
    path(wave, "wave faint"), ...dots, dotAt(across(distance), middle - high * score, 5, "output fill"),
    text(left - 4, middle - high + 4, "1", "small end muted"), text(left - 4, middle + high + 4, "−1", "small end muted"),
    text(left, middle + high + 24, `−${last}`, "small muted"), text(across(0), middle + high + 24, "0", "small mid muted"), text(left + wide, middle + high + 24, String(last), "small end muted"),
    text(left + wide / 2, 206, `score ${show(score)}`, "mid bold"),
    text(left + wide / 2, 222, "by distance of the places", "mid small muted"),
  ].join(""));
}

export function say(data, state) {
  const { query, key, distance, score } = compute(data, state);
  return `Query at place ${state.query}: ${point(query, 3)}. Key at place ${state.key}: ${point(key, 3)}. ` +
    `The distance is ${show(distance, 0)}, the score ${show(score)}.`;
}
