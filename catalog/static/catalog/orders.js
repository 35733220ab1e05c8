/* On a phone the filters are folded away, so that the orders are what one sees first. Without this they stand open. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const filters = document.querySelector("#changelist-filter > details");
  if (filters && window.matchMedia("(max-width: 767px)").matches) {
    filters.open = false;
  }
});
