// Uploads: a file that is dropped is sent at once, and the page of an upload follows what becomes of it.
// Without this, the form sends the file by itself, and the page is looked at again by hand.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("upload-form");
  const state = document.getElementById("upload-state");
  if (form) {
    receive(form);
  }
  if (state) {
    follow(state);
  }
});

function receive(form) {
  const input = form.elements.namedItem("file");
  const zone = document.getElementById("dropzone");
  const note = document.getElementById("upload-refused");

  function refuse(sentence) {
    note.textContent = sentence;
    note.hidden = !sentence;
    if (sentence) {
      note.scrollIntoView({block: "nearest"});
    }
  }

  // Beside the zone, too, a browser would otherwise open the file in place of the page.
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", name === "dragover" && zone.contains(event.target));
    });
  }
  zone.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length !== 1) {
      refuse("Drop one file, please.");
      return;
    }
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.files[0].size > Number(form.dataset.limit)) {
      refuse(form.dataset.tooLarge);
    } else {
      refuse("");
      send(form, refuse);
    }
  });
}

function send(form, refuse) {
  const button = form.querySelector("button[type=submit]");
  const bar = document.getElementById("upload-progress");
  const sent = document.getElementById("upload-sent");
  const request = new XMLHttpRequest();

  function working(is) {
    button.disabled = is;
    bar.hidden = !is;
    sent.textContent = "";
  }

  request.upload.addEventListener("progress", (event) => {
    const percent = Math.floor((100 * event.loaded) / event.total);
    bar.value = percent;
    sent.textContent = `${percent} % sent`;
  });
  request.addEventListener("load", () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      answer.refused = `The server has refused the file (${request.status}). Load this page again and retry.`;
    }
    if (answer.page) {
      location.assign(answer.page);
      return;
    }
    working(false);
    refuse(answer.refused);
  });
  request.addEventListener("error", () => {
    working(false);
    refuse("The connection broke off before the file had arrived. Try it again.");
  });
  working(true);
  request.open("POST", location.href);
  request.setRequestHeader("Accept", "application/json");
  request.send(new FormData(form));
}

function follow(state) {
  const pause = 1000;

  async function look() {
    try {
      const answer = await (await fetch(state.dataset.url, {headers: {Accept: "application/json"}})).json();
      if (answer.state !== state.dataset.state) {
        location.reload();
        return;
      }
      if (state.textContent !== answer.doing) {
        state.textContent = answer.doing;
      }
    } catch {
      // The server is away for a moment, or somebody has logged out.
    }
    setTimeout(look, pause);
  }

  setTimeout(look, pause);
}
