// Waits until the reader comes near a figure; only then is anything fetched for it.
const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      near.unobserve(entry.target);
      import("./live.mjs").then(({ start }) => start(entry.target));
    }
  },
  { rootMargin: "400px" },
);
document.querySelectorAll("[data-figure]").forEach((root) => near.observe(root));
