// The code of a place: four hands, each slower than the one before. The table was made
// by the package at build time; the script reads one row of it.
import { WIDTH, arrow, brief, dotAt, line, list, path, picture, range, show, tag, text } from "./kit.mjs";

export const title = "The code of a place as four hands and their waves";

export const first = () => ({ place: 3 });

export const controls = (data) => [
  { kind: "range", name: "place", label: "Place p", min: 0, max: data.table.length - 1, step: 1, words: (state) => String(state.place) },
  {
    kind: "buttons", label: "Place",
    buttons: [
      { label: "One word back", change: (state) => ({ place: state.place - 1 }), off: (state) => state.place === 0 },
      { label: "One word on", change: (state) => ({ place: state.place + 1 }), off: (state) => state.place === data.table.length - 1 },
    ],
  },
];

export const compute = (data, state) => data.table[state.place];

export function draw(data, state) {
  const row = compute(data, state);
  const [left, wide, high, radius] = [144, WIDTH - 154, 66, 25];
  const last = data.table.length - 1;
  const across = (place) => left + (place / last) * wide;
  const hands = data.speeds.map((speed, i) => {
    const middle = 36 + i * high;
    const [sine, cosine] = [row[2 * i], row[2 * i + 1]];
    const up = (number) => middle - number * radius;
    const pieces = i === 0 ? 4 * last : last / 2; // a fast wave bends more
    const between = range(pieces + 1).map((piece) => (piece * last) / pieces);
    return tag("circle", { cx: 36, cy: middle, r: radius, class: "rim" }) +
      arrow(36, middle, 36 + radius * sine, middle - radius * cosine, "output") +
      text(67, middle - 4, `sin: ${show(sine, 3)}`, "small") + text(67, middle + 12, `cos: ${show(cosine, 3)}`, "small muted") +
      line(left, middle, left + wide, middle, "grid") +
      path(between.map((place) => [across(place), up(Math.cos(place * speed))]), "wave faint") +
      path(between.map((place) => [across(place), up(Math.sin(place * speed))]), "wave") +
      dotAt(across(state.place), up(cosine), 3, "muted fill") + dotAt(across(state.place), up(sine), 4.5, "output fill");
  });
  const bottom = 14 + high * data.speeds.length;
  const ticks = range(5).map((i) => (i * last) / 4).map((place) => text(across(place), bottom + 10, String(place), "mid small muted"));
  const here = line(across(state.place), 8, across(state.place), bottom - 2, "ghost thin");
  return picture(title, bottom + 26, [here, ...hands, ...ticks, text(left + wide / 2, bottom + 24, "place p; thick line: sine, thin line: cosine", "mid small muted")].join(""));
}

export function say(data, state) {
  const row = compute(data, state);
  const hands = data.speeds.map((speed, i) => `${brief(speed, 3)} ${speed === 1 ? "radian" : "radians"} a word: ${list(row.slice(2 * i, 2 * i + 2), 3)}`);
  return `Place ${state.place}. Sine and cosine of the four hands, from the fastest: ${hands.join("; ")}.`;
}
