// Forms on every page: sent once, confirmed where asked, reachable by key; large text; error summary in focus.
import "./connection.js";

const confirmation = document.querySelector("dialog[data-confirmation]");

function dialogOpen() {
  return document.querySelector("dialog[open], .modal.show") !== null;
}

function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
  for (const button of form.querySelectorAll("[data-held]")) {
    button.disabled = false;
    delete button.dataset.held;
  }
}

function hold(form) {
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  // After this turn: a disabled button would not be sent with the form.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button:not([type=button]):enabled")) {
      button.disabled = true;
      button.dataset.held = "yes";
    }
  });
}

function ask(sentence, button) {
  confirmation.querySelector("[data-sentence]").textContent = sentence;
  confirmation.returnValue = "";
  confirmation.showModal();
  confirmation.addEventListener("close", () => {
    if (confirmation.returnValue !== "yes") return;
    button.dataset.confirmed = "yes";
    button.form.requestSubmit(button);
  }, { once: true });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (confirmation && button?.dataset.confirm && !button.dataset.confirmed) {
    event.preventDefault();
    ask(button.dataset.confirm, button);
    return;
  }
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  else hold(form);
});

// Back from the browser's cache: the form may be sent again, with the same key.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || dialogOpen()) return;
  const typing = event.target.matches("input:not([data-scan-input]), select, textarea");
  if (typing && event.key.length === 1) return;
  const target = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

const root = document.documentElement;
for (const toggle of document.querySelectorAll("[data-large-text]")) {
  toggle.hidden = false;
  toggle.setAttribute("aria-pressed", String(root.dataset.text === "large"));
  toggle.addEventListener("click", () => {
    const large = root.dataset.text !== "large";
    if (large) root.dataset.text = "large";
    else delete root.dataset.text;
    toggle.setAttribute("aria-pressed", String(large));
    try {
      localStorage.setItem("text-size", large ? "large" : "normal");
    } catch {
      // Storage is blocked: the choice lasts for this page.
    }
  });
}

document.querySelector("[data-error-summary]")?.focus();

// A browser that cannot show a closed menu on a wide screen opens it.
if (!CSS.supports("selector(::details-content)") && matchMedia("(min-width: 60.01rem)").matches) {
  document.querySelector("details[data-menu]")?.setAttribute("open", "");
}
