// Whether the server can be reached: shown always where [data-connection] stands, as a banner when it cannot.
let reachable = navigator.onLine;

function show() {
  for (const place of document.querySelectorAll("[data-connection]")) {
    place.textContent = reachable ? "● 已连接" : "○ 连接中断";
  }
  const banner = document.querySelector("[data-offline]");
  if (banner) banner.hidden = reachable;
}

// Told by whoever asked the server last (countdown.js), because navigator.onLine only knows the cable.
export function report(answered) {
  if (answered === reachable) return;
  reachable = answered;
  show();
}

window.addEventListener("online", () => report(true));
window.addEventListener("offline", () => report(false));
show();
