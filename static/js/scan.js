// The counter's one field: keyboard scanners, camera, photo and typing all end in the same plain form.
import { play } from "./sound.js";

const SILENCE_MS = 120;
const SAME_CODE_MS = 2500;
const LOOK_MS = 120;
const BEEP_MS = 90;
const PAPER = /\/V\/[0-9A-Z-]{6,}/i;

// What a scan means: the last 20 digits of the last long run, or the text itself (a paper voucher's number).
export function read(text) {
  const plain = text.normalize("NFKC").replace(/[\u0000-\u001f\u007f]/g, "").trim();
  const runs = plain.match(/[0-9]{20,}/g);
  return { plain, code: runs ? runs.at(-1).slice(-20) : null };
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem("last-scan")) ?? {};
  } catch {
    return {};
  }
}

function remember(text) {
  try {
    sessionStorage.setItem("last-scan", JSON.stringify({ text, at: Date.now() }));
  } catch {
    // Storage is blocked: the same code is then refused by the server as used.
  }
}

function start(form) {
  const input = form.querySelector("[data-scan-input]");
  const status = form.querySelector("[data-scan-status]");
  let timer = 0;
  let ended = false;

  const say = (sentence) => { status.textContent = sentence; };
  const blocked = () =>
    Boolean(form.dataset.sent) || document.querySelector("dialog[open], .modal.show") !== null;

  function accept(text) {
    const { plain, code } = read(text);
    const content = code ?? plain;
    ended = true;
    if (!content || blocked()) return;
    const last = remembered();
    if (last.text === content && Date.now() - last.at < SAME_CODE_MS) return;
    remember(content);
    input.value = content;
    play("read");
    say("已读码，正在核对…");
    setTimeout(() => { if (!blocked()) form.requestSubmit(); }, BEEP_MS);
  }

  input.setAttribute("inputmode", "none");
  input.addEventListener("beforeinput", () => {
    if (!ended) return;
    ended = false;
    input.value = "";
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (read(input.value).code || PAPER.test(input.value)) accept(input.value);
    }, SILENCE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.shiftKey) return;
    if (event.key !== "Enter" && !(event.key === "Tab" && input.value)) return;
    event.preventDefault();
    clearTimeout(timer);
    accept(input.value);
  });

  const focus = () => { if (!document.hidden && !blocked()) input.focus({ preventScroll: true }); };
  document.addEventListener("visibilitychange", focus);
  document.addEventListener("keydown", (event) => {
    const plainKey = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
    if (plainKey && !event.target.matches("input, select, textarea, button, a, summary")) focus();
  });
  form.querySelector("[data-scan-typing]")?.addEventListener("click", () => {
    input.setAttribute("inputmode", "text");
    input.blur();
    input.focus();
  });
  for (const tool of form.querySelectorAll("[data-scan-tool]")) tool.hidden = false;
  eyes(form, { accept, say, blocked });
  focus();
}

function load(url) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", done);
    script.addEventListener("error", failed);
    document.head.append(script);
  });
}

async function makeDetector(form) {
  const formats = { formats: ["qr_code"] };
  if ("BarcodeDetector" in window) {
    const known = await window.BarcodeDetector.getSupportedFormats();
    if (known.includes("qr_code")) return new window.BarcodeDetector(formats);
  }
  await load(form.dataset.ponyfillUrl);
  const { BarcodeDetector, prepareZXingModule } = window.BarcodeDetectionAPI;
  prepareZXingModule({ overrides: { locateFile: () => form.dataset.wasmUrl } });
  return new BarcodeDetector(formats);
}

// Camera and photo.
function eyes(form, { accept, say, blocked }) {
  const video = form.querySelector("[data-scan-video]");
  const button = form.querySelector("[data-scan-camera]");
  const photo = form.querySelector("[data-scan-photo]");
  let detector = null;
  const look = async (picture) => {
    detector ??= makeDetector(form);
    const found = await (await detector).detect(picture);
    return found[0]?.rawValue ?? null;
  };

  async function watch() {
    if (!video.srcObject) return;
    if (!blocked() && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      const text = await look(video);
      if (text) accept(text);
    }
    setTimeout(() => watch().catch(stop), LOOK_MS);
  }

  function stop() {
    video.srcObject?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
    button.setAttribute("aria-pressed", "false");
  }

  async function open() {
    const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
      video.hidden = false;
      button.setAttribute("aria-pressed", "true");
      await video.play();
      say("请将二维码对准取景框。");
      await watch();
    } catch {
      stop();
      say("无法使用摄像头，请用扫码枪、上传照片或手工输入。");
    }
  }

  button.addEventListener("click", () => (video.srcObject ? stop() : open()));
  window.addEventListener("pagehide", stop);
  photo.addEventListener("change", async () => {
    const [file] = photo.files;
    if (!file) return;
    try {
      const text = await look(await createImageBitmap(file));
      if (text) accept(text);
      else say("照片中没有找到二维码，请重拍或手工输入。");
    } catch {
      say("无法读取这张照片，请换一张或手工输入。");
    } finally {
      photo.value = "";
    }
  });
}

document.querySelectorAll("form[data-scan]").forEach(start);
