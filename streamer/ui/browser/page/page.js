// The page: one socket, over which pictures come and what the person asks for goes.

import { Picture } from "./picture.js";

const find = (id) => document.getElementById(id);
const DEPTHS = ["off", "overlay", "side"];
const RETRY_MS = 1000;

let socket = null;
let about = { number: 0, objects: [], selected: null };
let extras = { title: "", figures: [], can: {}, look: null, viewers: 1 };
let look = null;             // {masks, depth}: what this person has chosen
let held = null;             // number of a picture that is not owned to while the page is hidden
let toastTimer = 0;
let known = null;            // how far what is clicked on next is from the camera [m]

const picture = new Picture(find("picture"), act);

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// Where a distance has been typed, the next click says what is that far.
function act(message) {
  if (known === null || message.type !== "click") return send(message);
  const { frame_id, x, y } = message;
  send({ type: "distance", frame_id, x, y, meters: known });
  setKnown(null);
}

function setKnown(meters) {
  known = meters;
  find("known").querySelector("button").setAttribute("aria-pressed", String(meters !== null));
  if (meters === null) find("meters").value = "";
}

function connect() {
  const url = new URL("view", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  about.number = 0;
  socket.onmessage = (event) => (typeof event.data === "string" ? greet() : receive(event.data));
  socket.onclose = (event) => {
    const ended = event.code === 1001;
    setState("offline", ended ? "ended" : "offline");
    find("waiting").textContent = ended ? "The run has ended." : "No connection: trying again …";
    setTimeout(connect, RETRY_MS);
  };
}

function greet() {
  send({ type: "hello" });
  if (look) send({ type: "look", ...look });
}

// Four bytes of length, JSON, JPEG.
async function receive(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const news = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const name of Object.keys(extras)) if (name in news) extras[name] = news[name];
  look ??= { ...extras.look };
  const image = await createImageBitmap(new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" }));
  own(news.number);
  if (news.number < about.number) return image.close();  // a later one was decoded sooner
  about = news;
  picture.labelled = look.masks;
  picture.show(image, news);
  showAll(news);
}

// Saying that it has been drawn makes the next one come; a page that nobody sees does not need it.
function own(number) {
  if (document.hidden) held = number;
  else send({ type: "shown", number });
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && held !== null) {
    send({ type: "shown", number: held });
    held = null;
  }
});

function showAll(news) {
  find("waiting").hidden = true;
  document.body.classList.toggle("paused", news.paused);
  document.body.classList.toggle("recording", news.recording);
  if (news.stalled) setState("stalled", "stalled");
  else if (news.paused) setState("paused", "paused");
  else if (news.recording) setState("recording", "rec");
  else if (news.ended) setState("paused", "ended");
  else setState("live", "live");
  find("awaited").textContent = news.awaited;
  find("awaited").hidden = !news.awaited;
  for (const button of document.querySelectorAll('[data-press="before"], [data-press="next"]')) button.hidden = !news.place;
  showReadings(news);
  showObjects(news);
  toast(news.message);
  find("title").textContent = news.place || extras.title;
  document.title = `${extras.title} · streamer`;
  showFigures();
  showAbilities();
  showLook();
}

function setState(state, word) {
  const chip = find("state");
  chip.dataset.state = state;
  chip.textContent = word;
}

function showReadings(news) {
  const readings = [[news.rate_hz?.toFixed(1), "fps"], [news.delay_ms ?? news.latency_ms, "ms"]];
  find("readings").replaceChildren(
    ...readings.filter(([value]) => value !== null && value !== undefined).flatMap(([value, unit]) => [element("b", {}, String(value)), ` ${unit}  `]));
}

function showObjects(news) {
  const list = find("objects");
  const rows = news.objects.map((object) => object.id);
  if (list.dataset.rows !== String(rows)) {
    list.dataset.rows = String(rows);
    list.replaceChildren(...news.objects.map(row));
  }
  for (const [index, object] of news.objects.entries()) fill(list.children[index], object, news.selected);
  find("new").setAttribute("aria-pressed", String(news.selected === null));
}

function row(object) {
  const pick = element("button", { className: "pick", title: "Further clicks belong to this object" },
    element("span", { className: "tag" }), element("span", { className: "name" }), element("span", { className: "values" }), element("span", { className: "score" }));
  pick.onclick = () => send({ type: "select", object_id: object.id });
  const drop = element("button", { className: "drop", title: "Follow it no longer", ariaLabel: `Remove object ${object.id}` }, "×");
  drop.onclick = () => send({ type: "remove", object_id: object.id });
  const item = element("li", {}, pick, drop);
  item.style.setProperty("--color", object.color);
  return item;
}

function fill(item, object, selected) {
  const [tag, name, values, score] = item.firstChild.children;
  tag.textContent = object.id;
  name.textContent = [object.label, object.label && object.state === "tracked" ? "" : object.state].filter(Boolean).join(" · ");
  name.dataset.state = object.state;
  values.textContent = [object.score.toFixed(2), object.depth === null ? "" : `depth ${object.depth}`].filter(Boolean).join("  ");
  score.style.setProperty("--score", object.score);
  score.title = `score ${object.score.toFixed(2)}`;
  item.setAttribute("aria-current", String(object.id === selected));
}

function showFigures() {
  const key = JSON.stringify([extras.figures, extras.viewers]);
  if (find("figures").dataset.key === key) return;
  find("figures").dataset.key = key;
  const figures = [...extras.figures, ["pages", extras.viewers > 1 ? `${extras.viewers} are open` : ""]];
  find("figures").replaceChildren(
    ...figures.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
}

function showAbilities() {
  find("depth").hidden = !extras.can.depth;
  for (const id of ["masks", "new", "objects"]) find(id).hidden = !extras.can.masks;
  find("words").hidden = !extras.can.text;
  find("known").hidden = !extras.can.depth;
  for (const button of ["undo", "level", "keyframe"]) document.querySelector(`[data-press="${button}"]`).hidden = !extras.can.masks;
}

function showLook() {
  if (!look) return;
  find("masks").setAttribute("aria-pressed", String(look.masks));
  for (const button of find("depth").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.depth === look.depth));
  }
}

function setLook(change) {
  if (!look) return;
  look = { ...look, ...change };
  send({ type: "look", ...look });
  showLook();
}

function toast(message) {
  if (!message || message === find("toast").textContent) return;
  find("toast").textContent = message;
  find("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    find("toast").hidden = true;
    find("toast").textContent = "";
  }, 3500);
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const press = (button) => () => send({ type: "press", button });
for (const button of document.querySelectorAll("[data-press]")) button.onclick = press(button.dataset.press);
for (const button of find("depth").querySelectorAll("button")) button.onclick = () => setLook({ depth: button.dataset.depth });
find("masks").onclick = () => setLook({ masks: !look.masks });
find("new").onclick = () => send({ type: "select", object_id: null });
find("words").onsubmit = (event) => {
  event.preventDefault();
  send({ type: "words", text: find("text").value });
  find("text").value = "";
  find("text").blur();
};
find("known").onsubmit = (event) => {
  event.preventDefault();
  const meters = Number(find("meters").value.replace(",", "."));
  if (!(meters > 0)) return setKnown(null);
  setKnown(meters);
  toast(`Click on what is ${meters} m away.`);
  find("meters").blur();
};
find("help").onclick = () => find("sheet").showModal();

const KEYS = {
  " ": press("pause"), u: press("undo"), r: press("record"), s: press("snapshot"), k: press("keyframe"),
  ",": press("before"), ".": press("next"),
  m: () => setLook({ masks: !look.masks }),
  t: () => extras.can.depth && setLook({ depth: DEPTHS[(DEPTHS.indexOf(look.depth) + 1) % DEPTHS.length] }),
  "/": () => find("text").focus(),
  c: () => extras.can.depth && find("meters").focus(),
  n: () => send({ type: "select", object_id: null }),
  d: () => about.selected !== null && send({ type: "remove", object_id: about.selected }),
  h: () => find("sheet").showModal(), "?": () => find("sheet").showModal(),
};
KEYS.Delete = KEYS.d;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || find("sheet").open || event.target.matches("input, textarea")) return;
  const ids = about.objects.map((object) => object.id);
  if (event.key === "Tab" && event.target === find("picture") && about.selected !== null && !event.shiftKey) {
    press("level")();
  } else if (ids.includes(Number(event.key))) {
    send({ type: "select", object_id: Number(event.key) });
  } else if (KEYS[event.key]) {
    KEYS[event.key]();
  } else return;
  event.preventDefault();
});

if (innerWidth < 960) find("run").open = false;
connect();
