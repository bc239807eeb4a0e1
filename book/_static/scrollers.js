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

  const all = names.map(([selector]) => selector).join();
  const markIn = (section, wanted = () => true) => {
    const own = [...section.querySelectorAll(all)].filter((box) => box.closest("section") === section);
    own.filter(wanted).forEach(mark);
  };
  const shown = (box) => box.checkVisibility({ contentVisibilityAuto: true });

  // The observer tells once at the beginning, and whenever a section gets another size:
  // a turned phone, an opened box, a larger font.
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) markIn(target, shown);
  });
  const begin = () => {
    for (const section of document.querySelectorAll(".bd-article section")) observer.observe(section);
  };
  // What is far from the screen has a size too, once it is laid out: unhurried.js.
  addEventListener("course-laid-out", ({ target }) => markIn(target));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
