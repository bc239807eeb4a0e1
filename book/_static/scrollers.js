// Formulas, tables and code that are wider than the page scroll in their own box. Such a box
// must take the keyboard's focus, or only a pointer could move it; a box that holds all
// of its content must not, or readers would tab through every formula.
(() => {
  const names = [
    ["mjx-container", "formula"],
    [".pst-scrollable-table-container", "table"],
    ["pre:not([class])", "text"], // code and what it prints; live cells see to theirs
  ];

  const mark = (box, scrolls) => {
    if (scrolls) {
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
    const inside = [...section.querySelectorAll(all)];
    const own = inside.filter((box) => box.closest("section") === section && wanted(box));
    // All are measured before one is marked: each mark makes the next measure slow.
    const scroll = own.map((box) => box.scrollWidth > box.clientWidth + 1);
    for (const [place, box] of own.entries()) mark(box, scroll[place]);
  };
  const shown = (box) => box.checkVisibility({ contentVisibilityAuto: true });

  // The observer tells once at the beginning, and whenever a section gets another size:
  // a turned phone, an opened box, a larger font. Several such come together.
  const changed = new Set();
  const markChanged = () => {
    for (const section of changed) markIn(section, shown);
    changed.clear();
  };
  const observer = new ResizeObserver((entries) => {
    if (changed.size === 0) setTimeout(markChanged, 100);
    for (const { target } of entries) changed.add(target);
  });
  const begin = () => {
    for (const section of document.querySelectorAll(".bd-article section")) observer.observe(section);
  };
  // What is far from the screen has a size too, once it is laid out: unhurried.js.
  addEventListener("course-laid-out", ({ target }) => markIn(target));
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
  else begin();
})();
