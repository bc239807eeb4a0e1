// What the search shows of a page begins and ends between words.
(() => {
  const cut = Search.makeSearchSummary;
  Search.makeSearchSummary = (...given) => {
    const summary = cut(...given);
    if (summary) {
      summary.textContent = summary.textContent
        .replace(/^\.{3}\S*\s+/, "… ")
        .replace(/\s+\S*\.{3}$/, " …");
    }
    return summary;
  };
})();
