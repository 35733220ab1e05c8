// What a page of the API does better with scripts; to read needs none of them.
"use strict";

// An input that is left empty is no parameter.
function leaveOutEmpty(event) {
  for (const input of event.target.elements) {
    if (input.name && input.value.trim() === "") input.disabled = true;
  }
}

// A page that the browser brings back from its memory has the inputs as they were sent.
addEventListener("pageshow", () => {
  for (const input of document.querySelectorAll("form.query :disabled")) input.disabled = false;
});

// Over plain HTTP a page may not write to the clipboard; there the text is marked, to be copied by hand.
async function copy(button) {
  const input = document.getElementById(button.dataset.copy);
  input.focus();
  input.select();
  let done = true;
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    done = document.execCommand("copy");
  }
  document.querySelector("[data-copied]").textContent = done ? "Copied." : "Marked; copy it by hand.";
}

// A form by itself cannot send JSON. The answer is a page, of which the main part takes the place of this one's.
async function sendJson(event) {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, {
    method: "POST",
    headers: {
      Accept: "text/html",
      "Content-Type": "application/json",
      "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
    },
    body: form.elements._content.value,
  });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceWith(page.querySelector("main"));
  prepare();
  scrollTo(0, 0);
}

function prepare() {
  for (const form of document.querySelectorAll("form.query")) form.addEventListener("submit", leaveOutEmpty);
  for (const form of document.querySelectorAll("form[data-json]")) form.addEventListener("submit", sendJson);
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

prepare();
