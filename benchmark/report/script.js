"use strict";
// Rules are shown and hidden in all figures at once.
for (const toggles of document.querySelectorAll("details.toggles")) {
  const style = document.createElement("style");
  document.head.append(style);
  toggles.hidden = false;
  toggles.open = matchMedia("(min-width: 76rem)").matches;
  toggles.addEventListener("change", () => {
    const boxes = [...toggles.querySelectorAll("input")];
    const hidden = boxes.filter((box) => !box.checked).map((box) => `.series-${box.value}`);
    style.textContent = hidden.length ? `${hidden.join(", ")} { display: none; }` : "";
  });
}
// A point of a figure says its row and its numbers; its series and the axes say the rest.
const told = new WeakSet();
document.addEventListener("pointerover", ({ target }) => {
  const title = target.querySelector?.(":scope > title");
  const series = target.closest?.("[data-series]");
  if (!title || !series || told.has(title)) return;
  told.add(title);
  const drawing = target.closest("svg").dataset;
  const words = title.textContent.split(" · ");
  const [x, y] = words.splice(-2);
  title.textContent = [...words, series.dataset.series, `${drawing.x} ${x}`, `${drawing.y} ${y}`].join(", ");
});
for (const button of document.querySelectorAll("button.copy")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(source); // copied by hand where the browser refuses
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl+C";
    }
  });
}
// Tables that sort and filter. Without this script they are read as they stand. (A library would be
// larger than this loop, and the page loads nothing.)
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const read = parseFloat(text.replace("−", "-").replaceAll(",", ""));
    return column === 0 || Number.isNaN(read) ? text : read;
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.ariaSort === "descending" || (column === 0 && head.ariaSort !== "ascending");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.ariaSort = up ? "ascending" : "descending";
      const sign = up ? 1 : -1;
      const keyed = rows.map((row) => [value(row, column), row]);
      keyed.sort(([a], [b]) => (typeof a === typeof b ? (a < b ? -sign : a > b ? sign : 0) : typeof a === "string" ? 1 : -1));
      body.append(...keyed.map(([, row]) => row));
    });
  });
  const label = document.createElement("label");
  const field = document.createElement("input");
  const shown = document.createElement("output");
  field.type = "search";
  label.append("Filter (number, operations) ", field);
  const line = document.createElement("p");
  line.className = "filter";
  line.append(label, " ", shown);
  table.parentElement.before(line);
  field.addEventListener("input", () => {
    const asked = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(asked);
    shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
}
