// What three scales do to the weights as keys get wider. Every number was measured at
// build time; the script only chooses.
import { brief, line, picture, rect, show, text } from "./kit.mjs";

export const title = "Eight weights by rank, for three ways to scale";

export const first = () => ({ width: 0 });

export const controls = (data) => [
  {
    kind: "range", name: "width", label: "Key width d_k", min: 0, max: data.widths.length - 1, step: 1,
    words: (state) => String(data.widths[state.width]),
  },
];

export const compute = (data, state) => data.measured.map((one) => ({
  weights: one.weights[state.width], entropy: one.entropy[state.width],
}));

function panel(left, name, { weights, entropy }) {
  const [top, floor, wide] = [46, 186, 104];
  const up = (share) => floor - share * (floor - top);
  const step = wide / weights.length;
  const even = up(1 / weights.length);
  const bars = weights.map((weight, i) => rect(left + i * step + 1, up(weight), step - 2, floor - up(weight), "weight"));
  return [
    text(left + wide / 2, 16, name, "mid bold"),
    line(left, up(1), left + wide, up(1), "grid"), line(left, up(0.5), left + wide, up(0.5), "grid"),
    ...bars, line(left, even, left + wide, even, "ghost"), line(left, floor, left + wide, floor, "axis"),
    text(left, floor + 14, "largest", "small muted"), text(left + wide, floor + 14, "smallest", "small end muted"),
    text(left + wide / 2, floor + 34, `largest ${show(weights[0], 2)}`, "mid"),
    text(left + wide / 2, floor + 51, `entropy ${show(entropy, 2)}`, "mid"),
  ].join("");
}

export function draw(data, state) {
  const panels = compute(data, state).map((one, i) => panel(30 + i * 119, data.names[i], one));
  const marks = [0, 0.5, 1].map((share) => text(25, 190 - share * 140, brief(share), "small end muted"));
  const key = line(30, 256, 60, 256, "ghost") + text(66, 260, "all eight alike, 1/8: entropy ln 8 = 2.08 nats", "small muted");
  return picture(title, 268, [text(0, 33, "weight", "small muted"), ...marks, ...panels, key].join(""));
}

export function say(data, state) {
  const parts = compute(data, state).map(
    ({ weights, entropy }, i) => `${data.said[i]}, ${show(weights[0], 2)} (entropy ${show(entropy, 2)} nats)`,
  );
  return `Key width ${data.widths[state.width]}. The largest of eight weights is on average: ${parts.join("; ")}.`;
}
