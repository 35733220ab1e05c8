// Follows a running load: asks where it is, shows that, and loads the page again when it has ended.
"use strict";

(() => {
  const box = document.getElementById("progress");
  if (!box) return;
  const EVERY = 1500;
  const bar = box.querySelector("progress");

  const show = (name, text) => {
    const place = box.querySelector(`[data-told="${name}"]`);
    // Written only when it changes: whoever listens to the page would hear it again each time.
    if (place.textContent !== text) place.textContent = text;
    if (name === "still") place.hidden = !text;
  };

  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.url, { redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      const told = await answer.json();
      if (told.over) {
        location.reload();
        return;
      }
      for (const name of ["stage", "rows", "rate", "left", "still"]) show(name, told[name]);
      if (told.share === null) bar.removeAttribute("value");
      else bar.value = told.share;
    } catch {
      show("still", "The site does not say how far the load is; this page goes on asking. Are you still logged in?");
    }
    setTimeout(ask, EVERY);
  };

  document.getElementById("followed").hidden = false;
  document.getElementById("unfollowed").hidden = true;
  setTimeout(ask, EVERY);
})();
