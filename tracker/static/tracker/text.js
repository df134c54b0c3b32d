// Offer a task from what is selected in the text. Without this script the number of each sentence does the same.
(() => {
  "use strict";
  const offer = document.querySelector("[data-selected]");
  if (!offer) return;
  const link = offer.querySelector("a");
  document.addEventListener("selectionchange", () => {
    const chosen = document.getSelection();
    const words = chosen.toString().trim().slice(0, 200);
    const place = chosen.anchorNode && (chosen.anchorNode.closest ? chosen.anchorNode : chosen.anchorNode.parentElement);
    const paragraph = place && place.closest(".reading p:not(.selected)");
    offer.hidden = !(words && paragraph);
    if (offer.hidden) return;
    // The sentence is the last number before the selection.
    const range = chosen.getRangeAt(0);
    const numbers = [...paragraph.querySelectorAll('a[href^="?at="]')];
    const before = numbers.filter((number) => range.comparePoint(number, 0) <= 0);
    link.href = `${(before.at(-1) || numbers[0]).getAttribute("href")}&words=${encodeURIComponent(words)}#choice`;
  });
})();
