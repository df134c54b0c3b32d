// Keep a report as a draft while it is written. Without this script the button beside it does the same.
(() => {
  "use strict";
  const form = document.querySelector("form[data-autosave]");
  if (!form) return;
  const say = form.querySelector("[data-say]");
  const seen = form.elements.namedItem("seen");
  let timer = 0;
  let changed = false;
  let under = null;

  const keep = async () => {
    if (!changed) return;
    changed = false;
    const data = new FormData(form);
    data.delete("proofs"); // a file goes once, with the button
    data.delete("remove");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: data, headers: { "X-Autosave": "1" }, redirect: "manual", keepalive: true,
      });
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        changed = true;
        say.textContent = form.dataset.gone;
        return;
      }
      const told = await answer.json();
      if (answer.ok) {
        seen.value = told.seen;
        say.textContent = `${form.dataset.kept} ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
      } else {
        say.textContent = `${form.dataset.faults}: ${told.faults.join(" ")}`;
      }
    } catch {
      changed = true;
      say.textContent = form.dataset.lost;
    }
  };
  const start = () => {
    if (!under && changed) under = keep().finally(() => { under = null; });
  };

  form.addEventListener("input", () => {
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(start, 2000);
  });
  // Typed before this script was there.
  if ([...form.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue)) {
    changed = true;
    timer = setTimeout(start, 2000);
  }
  setInterval(start, 30000);
  document.addEventListener("visibilitychange", () => document.hidden && start());
  // What is under way ends first: two writings at once would look like two windows.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    changed = false;
    if (!under) return;
    event.preventDefault();
    const button = event.submitter;
    // A task of its own: a form that is being submitted takes no second order.
    under.then(() => setTimeout(() => form.requestSubmit(button)));
  });
})();
