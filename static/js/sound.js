// A short "read" beep at once, and a verdict sound after it. Sounds only repeat what icon and word say.
const TONES = {
  read: [[1320, 0.07]],
  ok: [[880, 0.1], [1320, 0.16]],
  warn: [[660, 0.12], [660, 0.12]],
  refused: [[330, 0.18], [220, 0.3]],
  review: [[520, 0.2]],
};
const WAIT_MS = 200;
let context = null;

// A browser that allows no sound yet stays silent for good: a late verdict would be taken for the next one.
async function awake() {
  context ??= new AudioContext();
  await Promise.race([context.resume(), new Promise((done) => { setTimeout(done, WAIT_MS); })]);
  return context.state === "running";
}

export async function play(kind) {
  const tones = TONES[kind];
  if (!tones || !window.AudioContext || !(await awake())) return;
  let at = context.currentTime;
  for (const [frequency, seconds] of tones) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.18, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.04;
  }
}

const verdict = document.querySelector("[data-sound]");
if (verdict) play(verdict.dataset.sound);
