// One question goes through attention step by step.
import { WIDTH, brief, cell, grouped, line, mean, picture, point, range, show, softmax, sum, text } from "./kit.mjs";

export const title = "Attention for one question, step by step";
const STEPS = ["Scores", "Scale", "Mask", "Softmax", "Weighted sum"];
const LAST = STEPS.length - 1;

export const first = (data) => ({
  step: LAST, question: data.questions.length - 1, hidden: data.words.map(() => false),
});

export const controls = (data) => [
  { kind: "choice", name: "question", label: "Question", options: data.questions },
  {
    kind: "group", label: "Hidden words",
    parts: data.words.map((word, j) => ({ kind: "check", name: `hidden.${j}`, label: word })),
  },
  { kind: "choice", name: "step", label: "Up to step", options: STEPS.map((name, i) => `${i + 1} ${name}`) },
  {
    kind: "buttons", label: "Steps",
    buttons: [
      { label: "Step back", change: (state) => ({ step: state.step - 1 }), off: (state) => state.step === 0 },
      { label: "Next step", change: (state) => ({ step: state.step + 1 }), off: (state) => state.step === LAST },
    ],
  },
];

export function compute(data, state) {
  const [scores, scaled] = [data.scores[state.question], data.scaled[state.question]];
  const masked = scaled.map((score, j) => (state.hidden[j] ? null : score));
  const exponentials = masked.map((score) => (score === null ? 0 : Math.exp(score)));
  const weights = softmax(masked);
  return {
    scores, scaled, masked, exponentials, total: sum(exponentials), weights,
    parts: data.value.map((value, j) => value.map((number) => weights[j] * number)),
    output: mean(weights, data.value),
  };
}

const [LEFT, COLUMN, ROW] = [92, 56, 30];

// One row of the table: its name, what is to the left of it, and one cell per word.
function row(top, name, below, words, shades, looks = []) {
  return text(LEFT - 8, top + (below ? 13 : 19), name, "end") + text(LEFT - 8, top + 26, below, "small end muted") +
    words.map((word, j) => cell(LEFT + j * COLUMN + 2, top, COLUMN - 4, ROW, shades[j], word, looks[j] ?? "")).join("");
}

export function draw(data, state) {
  const now = compute(data, state);
  const [none, largest] = [data.words.map(() => 0), Math.max(...now.scores) || 1];
  const minus = (numbers, digits) => numbers.map((number) => (number === null ? "−∞" : brief(number, digits)));
  const off = state.hidden.map((hidden) => (hidden ? "off" : ""));
  const rows = [
    [row(44, "scores", "q · k", minus(now.scores, 2), now.scores.map((score) => score / largest / 2))],
    [row(80, "scaled", "÷ √4 = 2", minus(now.scaled, 2), now.scaled.map((score) => score / largest / 2))],
    [row(116, "masked", "hidden: −∞", minus(now.masked, 2), now.masked.map((score) => (score ?? 0) / largest / 2), off)],
    [
      row(152, "exponential", "e to the score", now.exponentials.map((number) => show(number)), none, off),
      row(188, "weight", now.total ? `÷ ${show(now.total)}` : "nothing seen", now.weights.map((weight) => show(weight)), now.weights, off),
    ],
    [
      row(236, "value x", "", data.value.map(([x]) => brief(x)), none),
      row(270, "value y", "", data.value.map(([, y]) => brief(y)), none),
      text(LEFT - 8, 322, "output", "end bold") +
        text(LEFT + 2, 322, `${point(now.output, 3)}, ${now.total ? "the weighted sum" : "as nothing may be seen"}`),
    ],
  ];
  const heads = data.words.map((word, j) => text(LEFT + (j + 0.5) * COLUMN, 36, word, `mid key${off[j] && " off"}`));
  const later = range(LAST + 1).slice(state.step + 1).map((i) => text(LEFT, [64, 100, 136, 186, 268][i], `step ${i + 1}: ${STEPS[i].toLowerCase()}`, "muted"));
  const asked = text(WIDTH / 2, 14, `“${data.questions[state.question]}” asks with (${data.query[state.question].map((number) => brief(number)).join(", ")})`, "mid query");
  return picture(title, 332, [
    asked, ...heads, line(0, 42, WIDTH, 42, "grid"), ...rows.slice(0, state.step + 1).flat(), ...later,
  ].join(""));
}

export function say(data, state) {
  const now = compute(data, state);
  const per_word = (numbers, form) => data.words.map((word, j) => `${word} ${numbers[j] === null ? "minus infinity" : form(numbers[j])}`).join(", ");
  const shares = now.total ? `Weights: ${grouped(data.words, now.weights)}.` : "Nothing may be attended to, and every weight is 0.";
  const steps = [
    () => `The scores are ${per_word(now.scores, (score) => brief(score))}.`,
    () => `Divided by 2, the root of d_k, the scores are ${per_word(now.scaled, (score) => brief(score))}.`,
    () => `After the mask the scores are ${per_word(now.masked, (score) => brief(score))}.`,
    () => `The exponentials add up to ${show(now.total)}. ${shares}`,
    () => `${shares} Output: ${point(now.output, 3)}.`,
  ];
  return `Question “${data.questions[state.question]}”, step ${state.step + 1} of ${STEPS.length}, ${STEPS[state.step].toLowerCase()}. ${steps[state.step]()}`;
}
