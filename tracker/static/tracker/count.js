// Count what is typed into a field of limited length. Without this script the form says the limit.
(() => {
  "use strict";
  for (const field of document.querySelectorAll("textarea[data-most]")) {
    const most = Number(field.dataset.most);
    const counter = document.createElement("output");
    counter.className = "count";
    counter.htmlFor = field.id;
    // Signs as people count them: one for each letter of whatever plane, one for each line end.
    const count = () => {
      const length = [...field.value].length;
      counter.textContent = `${length} / ${most}`;
      counter.classList.toggle("error", length > most);
    };
    field.after(counter);
    field.addEventListener("input", count);
    count();
  }
})();
