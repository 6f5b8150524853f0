"use strict";

const study = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const picture = byId("picture");
const context = picture.getContext("2d", { alpha: false });
const surest = 3;
const state = {
  reader: "", order: [], answers: new Map(), place: 0, chosen: "", since: 0, saved: true,
  center: study.windowHu[0], width: study.windowHu[1], zoom: 0, pixels: false, kept: true,
};

/* The order is each reader's own and the same whenever he comes back. */
function shuffled(names, text) {
  let seed = 2166136261;
  for (const letter of text) seed = Math.imul(seed ^ letter.codePointAt(0), 16777619) >>> 0;
  const order = [...names];
  for (let last = order.length - 1; last > 0; last--) {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const place = ((mixed ^ (mixed >>> 14)) >>> 0) % (last + 1);
    [order[last], order[place]] = [order[place], order[last]];
  }
  return order;
}

const hu = new Map(study.cases.map((one) => [one.name, one.hu]));
function values(name) {
  const bytes = Uint8Array.from(atob(hu.get(name)), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, k) => view.getInt16(2 * k, true));
}

function keptUnder() { return `skullgan-study:${study.study}:${state.reader}`; }

function record() {
  return {
    format: study.format, format_version: study.formatVersion, study: study.study,
    reader: state.reader, order: state.order, answers: Object.fromEntries(state.answers),
  };
}

function keep() {
  state.saved = false;
  try {
    localStorage.setItem(keptUnder(), JSON.stringify(record()));
  } catch {
    state.kept = false;
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(keptUnder()));
  } catch {
    return null;
  }
}

function taken(found) {
  if (!found || found.format !== study.format || found.study !== study.study) return false;
  for (const [name, one] of Object.entries(found.answers || {})) {
    if (hu.has(name) && !state.answers.has(name)) state.answers.set(name, one);
  }
  return true;
}

function begin(found) {
  const reader = (found ? String(found.reader) : byId("reader").value).trim();
  if (!reader) {
    byId("message").textContent = "Enter your name or a pseudonym first.";
    byId("reader").focus();
    return;
  }
  state.reader = reader.replace(/\s+/g, " ");
  state.order = shuffled(study.cases.map((one) => one.name), study.study + state.reader);
  state.answers = new Map();
  if (found) taken(found);
  taken(kept());
  keep();
  state.saved = state.answers.size === 0;
  show("reading");
  go(firstOpen());
}

function firstOpen() {
  const place = state.order.findIndex((name) => !state.answers.has(name));
  return place < 0 ? state.order.length : place;
}

function show(section) {
  for (const id of ["start", "reading", "end"]) byId(id).hidden = id !== section;
}

function go(place) {
  if (place >= state.order.length) return finish();
  state.place = Math.max(0, place);
  state.since = performance.now();
  const answer = state.answers.get(name());
  state.chosen = answer ? answer.answer : "";
  show("reading");
  state.values = values(name());
  draw();
  mark();
  picture.focus({ preventScroll: true });
}

function name() { return state.order[state.place]; }

function finish() {
  const open = state.order.length - state.answers.size;
  if (open > 0 && firstOpen() < state.order.length) {
    go(firstOpen());
    byId("note").textContent = `${open} still to be answered.`;
    return;
  }
  byId("summary").textContent = `${state.reader}, you have answered all ${state.answers.size} segments.`;
  show("end");
}

function mark() {
  const answer = state.answers.get(name());
  for (const one of document.querySelectorAll("[data-answer]")) {
    one.setAttribute("aria-pressed", String(one.dataset.answer === state.chosen));
  }
  byId("confidences").hidden = !(state.chosen === "real" || state.chosen === "synthetic");
  for (const one of document.querySelectorAll("[data-confidence]")) {
    const given = answer && answer.answer === state.chosen ? answer.confidence : 0;
    one.setAttribute("aria-pressed", String(Number(one.dataset.confidence) === given));
  }
  byId("where").textContent = `${state.place + 1} of ${state.order.length}`;
  byId("progress").value = state.answers.size;
  byId("back").disabled = state.place === 0;
  byId("note").textContent = state.kept
    ? `${state.answers.size} answered; this browser keeps them.`
    : `${state.answers.size} answered. This browser keeps nothing: save the answers before you close the page.`;
}

function choose(answer) {
  state.chosen = answer;
  if (answer === "unsure") return give(0);
  mark();
}

function give(confidence) {
  if (!state.chosen || (state.chosen === "unsure") !== (confidence === 0)) return;
  const before = state.answers.get(name());
  const seconds = (performance.now() - state.since) / 1000 + (before ? before.seconds || 0 : 0);
  state.answers.set(name(), {
    answer: state.chosen, confidence, seconds: Math.round(10 * seconds) / 10,
  });
  keep();
  go(state.place + 1);
}

function scale() {
  const frame = byId("frame");
  const fit = Math.min(frame.clientWidth / study.columns, frame.clientHeight / study.rows);
  return Math.max(1, fit * 1.25 ** state.zoom);
}

function draw() {
  const { rows, columns } = study;
  const small = document.createElement("canvas");
  [small.width, small.height] = [columns, rows];
  const pixels = new ImageData(columns, rows);
  const low = state.center - state.width / 2;
  state.values.forEach((value, k) => {
    const gray = Math.max(0, Math.min(255, (255 * (value - low)) / state.width));
    pixels.data.set([gray, gray, gray, 255], 4 * k);
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  const by = scale();
  picture.width = Math.round(columns * by);
  picture.height = Math.round(rows * by);
  context.imageSmoothingEnabled = !state.pixels;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, picture.width, picture.height);
  byId("center").value = state.center;
  byId("width").value = state.width;
  byId("window").textContent =
    `${Math.round(low)} to ${Math.round(low + state.width)} HU, ${by.toFixed(1)}×`;
}

function setWindow(center, width) {
  state.center = Math.max(-500, Math.min(3000, center));
  state.width = Math.max(100, Math.min(4000, width));
  draw();
}

function zoom(steps) {
  state.zoom = Math.max(-4, Math.min(8, state.zoom + steps));
  draw();
}

function reset() {
  [state.center, state.width] = study.windowHu;
  state.zoom = 0;
  state.pixels = false;
  draw();
}

function save() {
  const link = document.createElement("a");
  const text = JSON.stringify(record(), null, 1);
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `answers-${state.reader.replace(/[^\p{L}\p{N}]+/gu, "-")}-${study.study}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  state.saved = true;
  byId("note").textContent = `Saved as ${link.download}.`;
}

const keys = {
  r: () => choose("real"), s: () => choose("synthetic"), u: () => choose("unsure"),
  arrowleft: () => go(state.place - 1), arrowright: () => go(state.place + 1),
  "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1),
  "[": () => setWindow(state.center, state.width / 1.15),
  "]": () => setWindow(state.center, state.width * 1.15),
  ",": () => setWindow(state.center + 50, state.width),
  ".": () => setWindow(state.center - 50, state.width),
  p: () => { state.pixels = !state.pixels; draw(); },
  0: reset,
};
for (let confidence = 1; confidence <= surest; confidence++) keys[confidence] = () => give(confidence);

document.addEventListener("keydown", (event) => {
  if (byId("reading").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const arrowOnSlider = event.target.type === "range" && key.startsWith("arrow");
  if (keys[key] && !arrowOnSlider) {
    event.preventDefault();
    keys[key]();
  }
});
for (const one of document.querySelectorAll("[data-answer]")) {
  one.addEventListener("click", () => choose(one.dataset.answer));
}
for (const one of document.querySelectorAll("[data-confidence]")) {
  one.addEventListener("click", () => give(Number(one.dataset.confidence)));
}
const clicks = {
  begin: () => begin(), back: () => go(state.place - 1), on: () => go(state.place + 1),
  closer: () => zoom(1), farther: () => zoom(-1), reset, save, saveEnd: save, again: () => go(0),
};
for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
byId("reader").addEventListener("keydown", (event) => {
  if (event.key === "Enter") begin();
});
byId("resume").addEventListener("change", async (event) => {
  try {
    const found = JSON.parse(await event.target.files[0].text());
    if (found.format !== study.format || found.study !== study.study) throw new Error();
    begin(found);
  } catch {
    byId("message").textContent = "That file holds no answers to this study.";
  }
});
byId("center").addEventListener("input", (event) => setWindow(Number(event.target.value), state.width));
byId("width").addEventListener("input", (event) => setWindow(state.center, Number(event.target.value)));
byId("frame").addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1 : -1);
}, { passive: false });
let drag = null;
picture.addEventListener("pointerdown", (event) => {
  drag = [event.clientX, event.clientY, state.center, state.width];
  picture.setPointerCapture(event.pointerId);
});
picture.addEventListener("pointermove", (event) => {
  if (drag) setWindow(drag[2] + 4 * (event.clientY - drag[1]), drag[3] + 5 * (event.clientX - drag[0]));
});
for (const end of ["pointerup", "pointercancel"]) {
  picture.addEventListener(end, () => { drag = null; });
}
window.addEventListener("resize", () => { if (!byId("reading").hidden) draw(); });
window.addEventListener("beforeunload", (event) => {
  if (!state.saved && !state.kept) event.preventDefault();
});
