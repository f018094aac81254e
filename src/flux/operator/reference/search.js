// Narrows the list while typing. Without JavaScript the same box asks the server.
(() => {
  const form = document.querySelector(".bar form");
  const box = form.elements.q;
  const sections = [...document.querySelectorAll("section")].map((section) => ({
    section,
    count: section.querySelector("h2 small"),
    entries: [...section.querySelectorAll(".entry")].map((entry) => ({ entry, text: entry.textContent.toLowerCase() })),
  }));
  const none = document.querySelector(".none");
  const narrow = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let all = 0;
    for (const { section, count, entries } of sections) {
      let shown = 0;
      for (const { entry, text } of entries) {
        const fits = words.every((word) => text.includes(word));
        entry.hidden = !fits;
        shown += fits;
      }
      section.hidden = !shown;
      count.textContent = shown === 1 ? "1 code" : `${shown} codes`;
      all += shown;
    }
    none.hidden = all > 0;
  };
  form.querySelector("button").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", narrow);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    }
  });
  if (box.value && !box.form.dataset.asked) narrow();
})();
