// One network at every position: change one word, and see which rows move.
import { WIDTH, brief, cell, dot, line, mean, picture, softmax, text } from "./kit.mjs";

export const title = "A feed-forward network at five positions";

export const first = (data) => ({ word: data.words.length - 1, x: [1, 1] });

const entry = (i, label) => ({
  kind: "range", name: `x.${i}`, label, min: -1, max: 2, step: 0.5, words: (state) => brief(state.x[i]),
});
export const controls = (data) => [
  { kind: "choice", name: "word", label: "Change the row of", options: data.words },
  entry(0, "its place, a"),
  entry(1, "its time, b"),
];

const column = (matrix, j) => matrix.map((row) => row[j]);
const affine = (x, matrix, bias) => bias.map((constant, j) => dot(x, column(matrix, j)) + constant);
const attended = (rows) => rows.map((query) =>
  mean(softmax(rows.map((key) => dot(query, key) / Math.sqrt(query.length))), rows));
const differs = (a, b) => a.some((number, i) => Math.abs(number - b[i]) > 1e-9);

export function compute(data, state) {
  const rows = data.x.map((x, i) => (i === state.word ? state.x : x));
  const sums = rows.map((x) => affine(x, data.w_1, data.b_1));
  const hidden = sums.map((row) => row.map((number) => Math.max(0, number)));
  const output = hidden.map((row) => affine(row, data.w_2, data.b_2));
  const attention = attended(rows);
  return {
    rows, sums, hidden, output, attention,
    moved: output.map((row, i) => differs(row, data.output[i])),
    attention_moved: attention.map((row, i) => differs(row, data.attention[i])),
  };
}

const [LEFT, TOP, ROW] = [54, 62, 34];
const RIGHT = 357; // the middle of the last column
const COLUMNS = { x: [54, 31], hidden: [121, 36], output: [274, 29] };

// A title over some columns, and under it their names, in two lines where they are two.
function heading([left, wide], title, names) {
  const middle = (j) => left + (j + 0.5) * wide;
  return [
    text(left + (names.length * wide) / 2, 14, title, "mid bold small"),
    ...names.flatMap((name, j) => {
      const parts = name.split(" ");
      const top = 46 - 12 * (parts.length - 1);
      return parts.map((part, k) => text(middle(j), top + 12 * k, part, "mid tiny muted"));
    }),
  ];
}

function cells(i, [left, wide], numbers, look, shade) {
  return numbers.map((number, j) => cell(left + j * wide + 1, TOP + i * ROW + 3, wide - 2, ROW - 6, shade(number), brief(number), look(number))).join("");
}

export function draw(data, state) {
  const now = compute(data, state);
  const shade = (number) => Math.min(1, Math.abs(number) / 2);
  const rows = data.words.map((word, i) => {
    const mine = i === state.word;
    const mark = (moved, x) => text(x, TOP + i * ROW + 21, moved ? "moved" : "same", `small mid ${moved ? "bold" : "muted"}`);
    return text(LEFT - 8, TOP + i * ROW + 21, word, `end ${mine ? "bold" : ""}`) +
      cells(i, COLUMNS.x, now.rows[i], () => (mine ? "mark" : ""), () => 0) +
      cells(i, COLUMNS.hidden, now.hidden[i], (number) => (number === 0 ? "off" : ""), shade) +
      cells(i, COLUMNS.output, now.output[i], () => (now.moved[i] ? "mark" : ""), shade) +
      mark(now.attention_moved[i], RIGHT);
  });
  return picture(title, TOP + data.words.length * ROW + 8, [
    ...heading(COLUMNS.x, "input x", ["a", "b"]),
    ...heading(COLUMNS.hidden, "hidden, after ReLU", data.units),
    ...heading(COLUMNS.output, "output", data.outputs),
    text(RIGHT, 34, "under", "mid tiny muted"), text(RIGHT, 46, "attention", "mid tiny muted"),
    line(0, 56, WIDTH, 56, "grid"), ...rows,
  ].join(""));
}

export function say(data, state) {
  const now = compute(data, state);
  const names = (flags) => data.words.filter((_, i) => flags[i]).join(", ") || "none";
  const own = (rows) => rows[state.word].map((number) => brief(number)).join(", ");
  return `${data.words[state.word]} is (${own(now.rows)}) instead of (${data.x[state.word].map((number) => brief(number)).join(", ")}): ` +
    `before the ReLU ${own(now.sums)}, after it ${own(now.hidden)}, output ${own(now.output)}. ` +
    `Rows that moved: ${names(now.moved)}. With attention they would be: ${names(now.attention_moved)}.`;
}
