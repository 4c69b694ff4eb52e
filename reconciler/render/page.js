"use strict";
(() => {
  const search = document.getElementById("search");
  if (!search) return;
  const SEARCHED = ".name, .badges, .told, .where, .messages, tbody th, td code";
  const told = document.getElementById("shown");
  const all = document.getElementById("all");
  const chips = [...document.querySelectorAll(".chip")];
  const targets = [...document.querySelectorAll(".target")].map((element) => ({
    element,
    details: element.querySelector("details"),
    text: [...element.querySelectorAll(SEARCHED)].map((part) => part.textContent).join(" ").toLowerCase(),
    status: [element.dataset.status],
    movement: (element.dataset.movement || "").split(" "),
  }));
  const chosen = (kind) =>
    chips.filter((chip) => chip.dataset.kind === kind && chip.getAttribute("aria-pressed") === "true")
      .map((chip) => chip.dataset.word);
  const fits = (words, has) => !words.length || words.some((word) => has.includes(word));

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const statuses = chosen("status");
    const movements = chosen("movement");
    let count = 0;
    for (const { element, text, status, movement } of targets) {
      const meant = fits(statuses, status) && fits(movements, movement) && words.every((word) => text.includes(word));
      element.hidden = !meant;
      if (meant) count += 1;
    }
    told.textContent = `${count} of ${targets.length} shown`;
  };

  for (const chip of chips) {
    chip.disabled = false;
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") === "true" ? "false" : "true");
      show();
    });
  }
  search.addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      show();
    }
  });
  const folded = targets.filter((target) => target.details).map((target) => target.details);
  const word = () => {
    all.textContent = folded.every((details) => details.open) ? "Close all" : "Open all";
  };
  all.hidden = !folded.length;
  all.addEventListener("click", () => {
    const open = !folded.every((details) => details.open);
    for (const details of folded) details.open = open;
    word();
  });
  // A details element tells when it is opened or closed, and does not bubble.
  document.addEventListener("toggle", word, true);
  word();
  show();
  document.getElementById("find").hidden = false;
})();
