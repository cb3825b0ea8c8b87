// A page that waits for the other side: counts down, renews the rotating code, follows the session's state.
// All times are the server's; the phone's clock is only used to measure what has passed since.
import { report } from "./connection.js";

const POLL_MS = 2000;

function follow(live) {
  const { closesAt, opensAt, serverNow, state, stateUrl, codeUrl } = live.dataset;
  const started = performance.now();
  const serverStart = Date.parse(serverNow);
  const closes = Date.parse(closesAt);
  const whole = Math.max(1, closes - (opensAt ? Date.parse(opensAt) : serverStart));
  const now = () => serverStart + performance.now() - started;
  let tag = null;
  let leaving = false;
  let busy = false;

  function tick() {
    const left = Math.max(0, closes - now());
    const seconds = Math.ceil(left / 1000);
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    for (const place of live.querySelectorAll("[data-left]")) place.textContent = text;
    const ring = live.querySelector("[data-ring]");
    ring?.setAttribute("stroke-dashoffset", String(100 - (100 * left) / whole));
    live.classList.toggle("is-closing", left < 60000);
  }

  function leave(url) {
    leaving = true;
    if (url) window.location.assign(url);
    else window.location.reload();
  }

  async function poll() {
    if (!stateUrl || leaving || busy) return;
    busy = true;
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(stateUrl, { headers, cache: "no-store", redirect: "error" });
      report(true);
      if (answer.ok) {
        tag = answer.headers.get("ETag");
        const news = await answer.json();
        if (news.state !== state) leave(news.url);
      } else if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
        leave();
      }
    } catch {
      report(false);
    } finally {
      busy = false;
    }
  }

  function draw(code) {
    const svg = new DOMParser().parseFromString(code.svg, "image/svg+xml").documentElement;
    if (svg.localName !== "svg") return;
    live.querySelector("[data-code-svg]").replaceChildren(document.importNode(svg, true));
    const groups = code.digits.match(/.{1,4}/g).map((group) => {
      const span = document.createElement("span");
      span.textContent = group;
      return span;
    });
    const digits = live.querySelector("[data-code-digits]");
    digits.replaceChildren(...groups);
    digits.value = code.digits;
  }

  async function renew() {
    if (leaving || now() >= closes) return;
    let wait = POLL_MS;
    try {
      const answer = await fetch(codeUrl, { cache: "no-store", redirect: "error" });
      report(true);
      if (answer.ok) {
        const code = await answer.json();
        draw(code);
        wait = code.next_in_ms;
      }
    } catch {
      report(false);
    }
    setTimeout(renew, Math.max(500, wait));
  }

  tick();
  setInterval(tick, 1000);
  setInterval(poll, POLL_MS);
  if (codeUrl) setTimeout(renew, Math.max(500, Number(live.dataset.nextInMs ?? 0)));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) poll();
  });
}

document.querySelectorAll("[data-live]").forEach(follow);
