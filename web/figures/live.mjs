// Brings one figure to life: its script is fetched, its controls are built, and picture
// and words follow them. Nothing moves by itself.
import { lowered } from "./kit.mjs";

const QUIET = 600; // milliseconds after the last change before a screen reader is told
let count = 0;

function element(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// "scores.1" names an entry of a list, "time" a setting of its own.
function read(state, name) {
  const [key, index] = name.split(".");
  return index === undefined ? state[key] : state[key][index];
}
function changed(state, name, value) {
  const [key, index] = name.split(".");
  return { [key]: index === undefined ? value : state[key].with(Number(index), value) };
}

function rangeControl(spec, change) {
  const id = `ac-figure-${(count += 1)}`;
  const input = element("input", { type: "range", id, min: spec.min, max: spec.max, step: spec.step });
  const output = element("output", { htmlFor: id });
  input.addEventListener("input", () => change((state) => changed(state, spec.name, Number(input.value))));
  return {
    shown: element("div", { className: `ac-range ${spec.role ?? ""}` },
      element("label", { htmlFor: id, innerHTML: lowered(spec.label) }), input, output),
    follow(state) {
      input.value = read(state, spec.name);
      input.disabled = spec.off?.(state) ?? false;
      output.textContent = spec.words(state);
      input.setAttribute("aria-valuetext", spec.words(state));
    },
  };
}

function checkControl(spec, change) {
  const input = element("input", { type: "checkbox" });
  input.addEventListener("change", () => change((state) => changed(state, spec.name, input.checked)));
  return {
    shown: element("label", { className: "ac-check" }, input, ` ${spec.label}`),
    follow(state) { input.checked = read(state, spec.name); },
  };
}

function choiceControl(spec, change) {
  const name = `ac-figure-${(count += 1)}`;
  const inputs = spec.options.map((_, i) => {
    const input = element("input", { type: "radio", name });
    input.addEventListener("change", () => change((state) => changed(state, spec.name, i)));
    return input;
  });
  const labels = inputs.map((input, i) => element("label", { className: "ac-check" }, input, ` ${spec.options[i]}`));
  return {
    shown: element("fieldset", {}, element("legend", {}, spec.label), ...labels),
    follow(state) { inputs.forEach((input, i) => { input.checked = read(state, spec.name) === i; }); },
  };
}

function groupControl(spec, change) {
  const parts = spec.parts.map((part) => control(part, change));
  return {
    shown: element("fieldset", {}, element("legend", {}, spec.label), ...parts.map((part) => part.shown)),
    follow(state) { parts.forEach((part) => part.follow(state)); },
  };
}

function buttonsControl(spec, change) {
  const buttons = spec.buttons.map((one) => {
    const button = element("button", { type: "button" }, one.label);
    button.addEventListener("click", () => change(one.change));
    return button;
  });
  return {
    shown: element("div", { className: "ac-buttons", role: "group", "aria-label": spec.label }, ...buttons),
    follow(state) {
      buttons.forEach((button, i) => { button.disabled = spec.buttons[i].off?.(state) ?? false; });
    },
  };
}

const KINDS = { range: rangeControl, check: checkControl, choice: choiceControl, group: groupControl, buttons: buttonsControl };
const control = (spec, change) => KINDS[spec.kind](spec, change);

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// A part of the picture that a finger or the arrow keys can move.
function handleFor(figure, data, stage, change) {
  const knob = element("button", { type: "button", className: "ac-handle" });
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    change((state) => figure.dragged(data, state,
      (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
  };
  knob.addEventListener("pointerdown", (event) => {
    knob.setPointerCapture(event.pointerId);
    follow(event);
  });
  knob.addEventListener("pointermove", (event) => {
    if (knob.hasPointerCapture(event.pointerId)) follow(event);
  });
  knob.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault(); // the page would scroll, and the theme would turn it
    event.stopPropagation();
    const step = event.shiftKey ? 10 : 1;
    const [right, up] = ARROWS[event.key];
    change((state) => figure.nudged(data, state, right * step, up * step));
  });
  return {
    shown: knob,
    follow(state) {
      const { label, left, top } = figure.handle(data, state);
      knob.setAttribute("aria-label", label);
      knob.style.left = `${100 * left}%`;
      knob.style.top = `${100 * top}%`;
    },
  };
}

// Every figure can be put back; the button joins the others where there are any.
function withStart(specs, first) {
  const again = { label: "Start again", change: first };
  const last = specs.at(-1);
  if (last.kind === "buttons") return [...specs.slice(0, -1), { ...last, buttons: [...last.buttons, again] }];
  return [...specs, { kind: "buttons", label: "Start", buttons: [again] }];
}

export async function start(root) {
  const figure = await import(`./${root.dataset.figure}.mjs`);
  const data = JSON.parse(root.querySelector("script").textContent);
  const [stage, words] = [root.querySelector(".ac-stage"), root.querySelector(".ac-words")];
  const [picture, told] = [stage.firstElementChild, element("p", { className: "ac-told", role: "status" })];
  let state = figure.first(data);
  let waiting;

  function follow() {
    picture.innerHTML = figure.draw(data, state);
    words.innerHTML = lowered(figure.say(data, state));
    parts.forEach((part) => part.follow(state));
  }
  function change(by) {
    state = { ...state, ...by(state) };
    follow();
    clearTimeout(waiting);
    waiting = setTimeout(() => { told.textContent = words.textContent; }, QUIET);
  }

  const parts = withStart(figure.controls(data), () => figure.first(data)).map((spec) => control(spec, change));
  const panel = element("div", { className: "ac-controls", role: "group", "aria-label": figure.title }, ...parts.map((part) => part.shown));
  if (figure.handle) {
    const handle = handleFor(figure, data, stage, change);
    stage.append(handle.shown);
    parts.push(handle);
  }
  follow();
  words.before(panel);
  words.after(told);
  root.classList.add("ac-alive");
}
