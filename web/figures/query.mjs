// A query turned by hand: the weights and the output follow.
import { arrow, brief, clamp, dot, dotAt, grouped, mean, path, picture, plane, point, shares, softmax, text, WIDTH } from "./kit.mjs";

export const title = "A query in the plane of being and time, and the output that it gets";
const [LOW, HIGH, HEIGHT] = [-5, 5, 316];
const ASKED = [4, 6, 176, LOW, HIGH, ["being", "time"]];
const ANSWERED = [200, 6, 176, LOW, HIGH, ["x", "y"]];

export const first = (data) => ({ being: data.query[0], time: data.query[1] });

const side = (name, label) => ({
  kind: "range", name, label, role: "query", min: -4, max: 4, step: 0.1,
  words: (state) => brief(state[name], 1),
});
export const controls = (data) => [
  side("being", "Asks: being"),
  side("time", "Asks: time"),
  {
    kind: "buttons", label: "Ask",
    buttons: Object.entries(data.presets).map(([label, [being, time]]) => ({
      label, change: () => ({ being, time }),
    })),
  },
];

export function compute(data, state) {
  const query = data.axes.map((axis) => (axis === null ? 0 : state[axis]));
  const scores = data.key.map((key) => dot(query, key) / Math.sqrt(query.length));
  const weights = softmax(scores);
  return { scores, weights, output: mean(weights, data.value) };
}

// The keys by their place in the plane: three of the five share the origin.
function keysOf(data) {
  const places = new Map();
  data.key.forEach((key, j) => {
    const at = data.axes.flatMap((axis, i) => (axis === null ? [] : [key[i]]));
    const name = at.join();
    places.set(name, { at, words: [...(places.get(name)?.words ?? []), data.words[j]] });
  });
  return [...places.values()];
}

export function draw(data, state) {
  const { weights, output } = compute(data, state);
  const [asked, answered] = [plane(...ASKED), plane(...ANSWERED)];
  const [zero, tip] = [asked.at([0, 0]), asked.at([state.being, state.time])];
  const keys = keysOf(data).map(({ at, words }) => {
    const [x, y] = asked.at(at);
    const [across, up] = at;
    const label = across
      ? text(x, y + 36, words.join(", "), "small mid key")
      : words.map((word, line) => text(x - 8, (up ? y + 4 : y + 17) + 14 * line, word, "small end key")).join("");
    return dotAt(x, y, 4.5, "key fill") + label;
  });
  const values = data.value.map((value, j) => {
    const [x, y] = answered.at(value);
    const size = 2 + 9 * Math.sqrt(weights[j]);
    const under = value[1] < 0 || value.every((number) => number === 0);
    return dotAt(x, y, size, "value fill soft") + text(x, under ? y + size + 12 : y - size - 4, data.words[j], "small value mid");
  });
  const [ox, oy] = answered.at(output);
  return picture(title, HEIGHT, [
    asked.drawn, ...keys, arrow(...zero, ...tip, "query"),
    answered.drawn, ...values,
    path([[ox - 5, oy - 5], [ox + 5, oy + 5]], "output thick"), path([[ox - 5, oy + 5], [ox + 5, oy - 5]], "output thick"),
    text(92, 198, "query and keys", "mid muted small"), text(288, 198, "values and output (×)", "mid muted small"),
    shares(30, 206, WIDTH - 60, data.words, weights),
  ].join(""));
}

export function say(data, state) {
  const { weights, output } = compute(data, state);
  return `The query asks for a being with ${brief(state.being, 1)} and for a time with ${brief(state.time, 1)}. ` +
    `Weights: ${grouped(data.words, weights)}. Output: ${point(output, 3)}.`;
}

// The tip of the query, to be dragged; places are shares of the picture's sides.
export function handle(data, state) {
  const [x, y] = plane(...ASKED).at([state.being, state.time]);
  return { label: "Tip of the query: drag it, or use the arrow keys", left: x / WIDTH, top: y / HEIGHT };
}
const rounded = (number) => Math.round(clamp(number, -4, 4) * 10) / 10;
export function dragged(data, state, left, top) {
  const [being, time] = plane(...ASKED).back([left * WIDTH, top * HEIGHT]);
  return { being: rounded(being), time: rounded(time) };
}
export const nudged = (data, state, right, up) => ({
  being: rounded(state.being + right * 0.1),
  time: rounded(state.time + up * 0.1),
});
