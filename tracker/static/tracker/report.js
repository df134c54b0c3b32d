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
  let stopped = false; // logged out, or out of date: tried again when the reader comes back or after a while

  // The same words once: a reader's voice would repeat them at every try.
  const tell = (words) => {
    if (say.textContent !== words) say.textContent = words;
  };
  const send = () => {
    const data = new FormData(form);
    data.delete("proofs"); // a file goes once, with the button
    data.delete("remove");
    return fetch(form.action, {
      method: "POST", body: data, headers: { "X-Autosave": "1" }, redirect: "manual", keepalive: true,
    });
  };
  // A page instead of an answer: the server refuses this form altogether.
  const read = (answer) => answer.json().catch(() => ({ stopped: true, faults: [form.dataset.refused] }));
  const renew = (token) => {
    for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
  };

  const keep = async () => {
    if (!changed) return;
    changed = false;
    try {
      let answer = await send();
      let told = await read(answer);
      if (told.token) {
        // Logged in again in another window: the session is new, the text is the same.
        renew(told.token);
        tell(form.dataset.again);
        answer = await send();
        told = await read(answer);
      }
      stopped = Boolean(told.stopped);
      if (answer.ok) {
        seen.value = told.seen;
        tell(`${form.dataset.kept} ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
      } else if (stopped) {
        changed = true;
        tell(told.faults.join(" "));
      } else {
        tell(`${form.dataset.faults}: ${told.faults.join(" ")}`);
      }
    } catch {
      changed = true;
      tell(form.dataset.lost);
    }
  };
  const start = () => {
    if (!under && changed) under = keep().finally(() => { under = null; });
  };
  const wait = () => {
    changed = true;
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(start, 2000);
  };

  form.addEventListener("input", wait);
  // Typed before this script was there.
  if ([...form.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue)) wait();
  setInterval(start, 30000);
  window.addEventListener("focus", start);
  document.addEventListener("visibilitychange", start);
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
