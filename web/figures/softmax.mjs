// Scores to shares, with a temperature.
import { WIDTH, brief, line, list, picture, rect, show, softmax, text } from "./kit.mjs";

export const title = "Softmax with a temperature";

export const first = (data) => ({ temperature: data.temperatures.indexOf(1), scores: data.scores });

export const controls = (data) => [
  {
    kind: "range", name: "temperature", label: "Temperature T",
    min: 0, max: data.temperatures.length - 1, step: 1,
    words: (state) => brief(data.temperatures[state.temperature]),
  },
  ...data.scores.map((_, i) => ({
    kind: "range", name: `scores.${i}`, label: `Score ${i + 1}`, min: -3, max: 3, step: 0.1,
    words: (state) => brief(state.scores[i], 1),
  })),
];

export function compute(data, state) {
  const temperature = data.temperatures[state.temperature];
  return { temperature, shares: softmax(state.scores, temperature), at_one: softmax(state.scores) };
}

export function draw(data, state) {
  const { shares, at_one } = compute(data, state);
  const [top, floor, step, width] = [24, 204, 112, 64];
  const up = (share) => floor - share * (floor - top);
  const marks = [0, 0.5, 1].map(
    (share) => line(36, up(share), WIDTH - 8, up(share), share ? "grid" : "axis") +
      text(30, up(share) + 4, brief(share), "small end muted"),
  );
  const bars = shares.map((share, i) => {
    const x = 56 + i * step;
    return (
      rect(x, up(share), width, floor - up(share), "weight") +
      line(x - 12, up(at_one[i]), x + width + 12, up(at_one[i]), "ghost") +
      text(x + width / 2, up(Math.max(share, at_one[i])) - 7, show(share), "mid bold") +
      text(x + width / 2, floor + 18, `score ${i + 1} = ${brief(state.scores[i], 1)}`, "mid")
    );
  });
  const key = line(36, 236, 66, 236, "ghost") + text(72, 240, "the share at T = 1", "small muted");
  return picture(title, 248, [...marks, text(8, 14, "share", "small muted"), ...bars, key].join(""));
}

export function say(data, state) {
  const { temperature, shares } = compute(data, state);
  const scores = state.scores.map((score) => brief(score, 1)).join(", ");
  return `Temperature ${brief(temperature)}: the scores ${scores} get the shares ${list(shares)}.`;
}
