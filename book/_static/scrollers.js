// Formulas and tables that are wider than the page scroll in their own box. Such a box
// must take the keyboard's focus, or only a pointer could move it; a box that holds all
// of its content must not, or readers would tab through every formula.
(() => {
  const names = [
    ["mjx-container", "formula"],
    [".pst-scrollable-table-container", "table"],
  ];

  const mark = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      const [, name] = names.find(([selector]) => box.matches(selector));
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `A ${name} that scrolls sideways`);
    } else if (box.hasAttribute("tabindex")) {
      for (const one of ["tabindex", "role", "aria-label"]) box.removeAttribute(one);
    }
  };

  // The observer tells once at the beginning, and whenever a box gets another size:
  // a turned phone, an opened box, a larger font.
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) mark(target);
  });
  const boxes = (where) => names.flatMap(([selector]) => [...where.querySelectorAll(selector)]);
  const begin = () => {
    for (const box of boxes(document)) observer.observe(box);
  };
  // What is far from the screen has a size too, once it is laid out: unhurried.js.
  addEventListener("course-laid-out", ({ target }) => boxes(target).forEach(mark));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
