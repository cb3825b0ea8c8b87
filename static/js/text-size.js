// Runs before the first paint, so that a page chosen in large text never flashes in small text.
"use strict";
try {
  if (localStorage.getItem("text-size") === "large") document.documentElement.dataset.text = "large";
} catch {
  // Storage is blocked: the page stays in normal size.
}
