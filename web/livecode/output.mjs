// Where results are shown: in place of what is stored in the book, until it is cleared.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function button(text, label, onclick) {
  const made = element("button", { type: "button", className: "live-button", onclick }, text);
  made.setAttribute("aria-label", label);
  return made;
}

const block = (text, name = "result") => {
  const made = element("div", { className: "highlight output" }, element("pre", {}, text));
  made.dataset.stream = name;
  return made;
};

export class Output {
  /** `root`: a cell. `figureOf`: the stored output whose picture this code draws, if any. */
  constructor(root, figureOf = () => null) {
    this.stored = root.querySelector(".cell_output");
    this.figureOf = figureOf;
    this.put = (place) => (this.stored ?? root.lastElementChild).after(place);
    this.onChange = () => {};
  }

  /** An output of its own, below an element. */
  static below(neighbour) {
    const made = new Output(neighbour);
    made.put = (place) => neighbour.after(place);
    return made;
  }

  get shown() {
    return Boolean(this.place);
  }

  get text() {
    return this.place?.innerText.trim() ?? "";
  }

  get failed() {
    return Boolean(this.place?.querySelector(".live-error"));
  }

  /** Begin anew; what was there stays visible until there is something to show. */
  fresh() {
    this.next = element("div", { className: "cell_output live-output" });
  }

  #reveal() {
    if (this.next) {
      this.place?.remove();
      this.place = this.next;
      this.next = null;
      this.put(this.place);
      if (this.stored) this.stored.hidden = true;
    }
    this.onChange();
  }

  /** The code has changed since: what is shown belongs to what it was. */
  age() {
    this.place?.classList.add("live-old");
  }

  clear() {
    this.place?.remove();
    this.place = this.next = null;
    if (this.stored) this.stored.hidden = false;
    this.onChange();
  }

  append(...children) {
    this.#reveal();
    this.place.append(...children);
  }

  stream(name, text) {
    this.#reveal();
    const last = this.place.lastElementChild;
    if (last?.dataset.stream === name) last.firstChild.append(text);
    else this.place.append(block(text, name));
  }

  show({ html, text, images = [], error }) {
    this.#reveal();
    for (const data of images) this.place.append(this.#figure(data));
    if (html !== undefined) this.place.append(this.#panel(html));
    else if (text !== undefined) this.place.append(block(text));
    if (error !== undefined) {
      this.place.append(element("pre", { className: "live-error", tabIndex: 0 }, error));
    }
  }

  /** A panel is read out by the page's live region, so it must not be one itself. */
  #panel(html) {
    const made = element("div", { className: "output text_html", innerHTML: html });
    for (const one of made.querySelectorAll("[role=status]")) one.removeAttribute("role");
    return made;
  }

  /** A picture; code as it stands in the book draws what the book describes. */
  #figure(data) {
    const stored = this.figureOf();
    const alt = stored?.querySelector("img")?.alt || "Figure drawn by the code of this cell";
    const image = element("img", { srcset: `data:image/png;base64,${data} 2x`, alt });
    const caption = stored?.querySelector("figcaption")?.cloneNode(true);
    for (const link of caption?.querySelectorAll(".headerlink") ?? []) link.remove();
    return element("figure", {}, image, ...(caption ? [caption] : []));
  }
}
