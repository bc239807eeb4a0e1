// What every figure shares: the few lines of arithmetic that a slider needs, and the
// words for SVG. Pure functions only, so that Node can hold them against the package.

// Scores to shares. A score of null is hidden: its share is 0, as in the package; and
// where everything is hidden, every share is.
export function softmax(scores, temperature = 1) {
  const seen = scores.filter((score) => score !== null);
  const highest = seen.length ? Math.max(...seen) : 0;
  const exponentials = scores.map((score) =>
    score === null ? 0 : Math.exp((score - highest) / temperature),
  );
  const total = sum(exponentials) || 1;
  return exponentials.map((exponential) => exponential / total);
}

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
export const dot = (a, b) => sum(a.map((number, i) => number * b[i]));
export const mean = (weights, rows) =>
  rows[0].map((_, column) => dot(weights, rows.map((row) => row[column])));
export const clamp = (number, low, high) => Math.min(high, Math.max(low, number));
export const range = (count) => Array.from({ length: count }, (_, i) => i);

// A number as the text of the book writes it: a real minus, no minus zero.
export function show(number, digits = 3) {
  const text = number.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}
// The same without zeros at the end, for settings such as 0.5 and 2.
export const brief = (number, digits = 2) =>
  show(Number(number.toFixed(digits)), digits).replace(/\.?0+$/, "") || "0";
export const list = (numbers, digits = 3) =>
  numbers.map((number) => show(number, digits)).join(", ");
export const point = (numbers, digits = 2) => `(${list(numbers, digits)})`;

// "cat 0.649, every other word 0.088" is easier to hear than five numbers.
export function grouped(words, weights) {
  const groups = new Map();
  weights.forEach((weight, j) => groups.set(show(weight), [...(groups.get(show(weight)) ?? []), words[j]]));
  if (groups.size === 1) return `every word ${show(weights[0])}`;
  return [...groups]
    .sort(([, a], [, b]) => a.length - b.length)
    .map(([weight, some]) => `${some.join(", ")} ${some.length > 1 ? "each " : ""}${weight}`)
    .join("; ");
}

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
// d_k with a low k, in HTML and in SVG, which has no sub element.
export const lowered = (words) => escaped(words).replace(/_(\w)/g, "<sub>$1</sub>");
const lowered_in_svg = (words) =>
  escaped(words).replace(/_(\w)/g, '<tspan class="low" dy="3">$1</tspan><tspan dy="-3">\u200b</tspan>');
const place = (number) => Math.round(number * 100) / 100;
const attributes = (given) =>
  Object.entries(given)
    .map(([name, value]) => ` ${name}="${typeof value === "number" ? place(value) : escaped(value)}"`)
    .join("");

export const tag = (name, given, inside = "") => `<${name}${attributes(given)}>${inside}</${name}>`;
export const text = (x, y, words, look = "", more = {}) =>
  tag("text", { x, y, class: look, ...more }, lowered_in_svg(words));
export const line = (x1, y1, x2, y2, look) => tag("line", { x1, y1, x2, y2, class: look });
export const rect = (x, y, width, height, look, more = {}) =>
  tag("rect", { x, y, width: Math.max(0, width), height: Math.max(0, height), class: look, ...more });
export const dotAt = (cx, cy, r, look) => tag("circle", { cx, cy, r, class: look });
export const path = (points, look, close = false) =>
  tag("path", {
    d: points.map(([x, y], i) => `${i ? "L" : "M"}${place(x)} ${place(y)}`).join("") + (close ? "Z" : ""),
    class: look,
  });

// A line from the first point with a head at the second; shorter than its head, a dot.
export function arrow(x1, y1, x2, y2, look) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 6) return dotAt(x2, y2, 4, `${look} fill`);
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [bx, by] = [x2 - 10 * ux, y2 - 10 * uy];
  const head = [[x2, y2], [bx - 4.5 * uy, by + 4.5 * ux], [bx + 4.5 * uy, by - 4.5 * ux]];
  return line(x1, y1, bx, by, `${look} thick`) + path(head, `${look} fill`, true);
}

// One cell of a table: shade says how much of the heat colour, from 0 to 1.
export const cell = (x, y, width, height, shade, words, look = "") =>
  rect(x, y, width, height, `cell ${look}`, { style: `--shade:${place(shade)}` }) +
  text(x + width / 2, y + height / 2 + 4.5, words, `mid in ${look}`);

export const WIDTH = 380; // of every picture: letters of 12 stay legible on a phone

export const picture = (title, height, inside) =>
  tag("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title }, inside);

// A plane with its grid: at(x, y) gives the place in the picture of a point.
export function plane(left, top, size, low, high, [across, up]) {
  const scale = size / (high - low);
  const at = ([x, y]) => [left + (x - low) * scale, top + (high - y) * scale];
  const back = ([px, py]) => [low + (px - left) / scale, high - (py - top) / scale];
  const [zeroX, zeroY] = at([0, 0]);
  const grid = range(Math.round(high - low) + 1)
    .filter((i) => (low + i) % 2 === 0)
    .map((i) => {
      const [x, y] = at([low + i, low + i]);
      return line(x, top, x, top + size, "grid") + line(left, y, left + size, y, "grid");
    })
    .join("");
  const axes = line(zeroX, top, zeroX, top + size, "axis") + line(left, zeroY, left + size, zeroY, "axis");
  const names = text(left + size + 4, zeroY + 13, across, "small end muted") + text(zeroX + 5, top + 10, up, "small muted");
  return { at, back, drawn: grid + axes + names };
}

// Bars across, one per word: how much of one whole each gets.
export function shares(left, top, width, words, weights, { row = 21, label = 58, look = "weight" } = {}) {
  const room = width - label - 46;
  return words
    .map((word, i) => {
      const y = top + i * row;
      return (
        text(left + label - 7, y + row / 2 + 4, word, "end") +
        rect(left + label, y + 3, room, row - 6, "track") +
        rect(left + label, y + 3, room * weights[i], row - 6, look) +
        text(left + label + room + 6, y + row / 2 + 4, show(weights[i]), "")
      );
    })
    .join("");
}

