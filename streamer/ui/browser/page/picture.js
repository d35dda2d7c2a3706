// The live picture: draws what comes, and turns pointers into clicks and boxes in pixels of the source.

const DRAG_PX = { mouse: 5, touch: 12, pen: 8 };
const LONG_PRESS_MS = 450;
const CLICK_SHOWN_MS = 800;

export class Picture {
  // `act` is told {type: "click", frame_id, x, y, label} and {type: "box", frame_id, x0, y0, x1, y1}.
  constructor(canvas, act) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.act = act;
    this.image = null;   // ImageBitmap of the drawing; one half or two
    this.about = null;   // what the server said with it
    this.halves = [];    // where each half lies on the canvas [CSS px]
    this.scale = 1;      // CSS px for one pixel of the source
    this.press = null;   // {id, kind, x, y, toX, toY, half, frameId, dragging, timer}
    this.clicks = [];    // {x, y, label, until} in pixels of the source, shown for a moment
    this.pointers = new Set();
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
  }

  show(image, about) {
    this.image?.close();
    this.image = image;
    this.about = about;
    this.draw();
  }

  draw() {
    if (!this.image) return;
    this.#arrange();
    const { context } = this;
    const [width, height] = this.about.size;
    const half = this.image.width / this.halves.length;
    for (const [index, at] of this.halves.entries()) {
      context.drawImage(this.image, index * half, 0, half, this.image.height, at.x, at.y, width * this.scale, height * this.scale);
    }
    if (this.labelled) this.#drawLabels(this.halves[0]);
    for (const at of this.halves) this.#drawPointer(at);
  }

  // As large as it goes: what is beside the picture goes below it where that leaves more room.
  #arrange() {
    const stage = this.canvas.parentElement;
    const [width, height] = this.about.size;
    const count = this.about.halves;
    const room = stage.clientWidth;
    const narrow = getComputedStyle(stage).position === "relative" && matchMedia("(max-width: 60rem) and (orientation: portrait)").matches;
    const high = narrow ? innerHeight * 0.58 : stage.clientHeight;
    const fits = (across, down) => Math.min(room / (across * width), high / (down * height));
    const down = fits(1, count) > fits(count, 1) ? count : 1;
    const across = count / down;
    this.scale = fits(across, down);
    const size = [across * width * this.scale, down * height * this.scale];
    stage.style.height = narrow ? `${size[1]}px` : "";
    const dense = devicePixelRatio || 1;
    const pixels = size.map((side) => Math.max(1, Math.round(side * dense)));
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
      this.canvas.style.width = `${size[0]}px`;
      this.canvas.style.height = `${size[1]}px`;
    }
    this.context.setTransform(dense, 0, 0, dense, 0, 0);
    this.halves = Array.from({ length: count }, (_, index) => ({
      x: down === 1 ? index * width * this.scale : 0,
      y: down === 1 ? 0 : index * height * this.scale,
    }));
  }

  #drawLabels(at) {
    const { context } = this;
    const taken = [];
    context.font = "600 12px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const object of this.about.objects) {
      if (!object.box || object.state === "lost") continue;
      const tag = String(object.id);
      const text = [object.label, object.state === "tracked" ? "" : object.state].filter(Boolean).join("  ");
      const tagWidth = Math.max(20, context.measureText(tag).width + 10);
      const width = tagWidth + (text ? context.measureText(text).width + 12 : 0);
      const [x0, y0, x1, y1] = object.box.map((side) => side * this.scale);
      const place = freePlace([x0, y0, x1, y1], [width, 20], taken, this.about.size.map((side) => side * this.scale));
      taken.push([...place, place[0] + width, place[1] + 20]);
      const [left, top] = [at.x + place[0], at.y + place[1]];
      if (text) {
        this.#panel(left, top, width, "rgba(16, 18, 22, .78)");
        context.fillStyle = object.state === "tracked" ? "#fff" : "#ffbe3d";
        context.fillText(text, left + tagWidth + 6, top + 10.5);
      }
      this.#panel(left, top, tagWidth, object.color);
      context.fillStyle = "#101216";
      context.fillText(tag, left + (tagWidth - context.measureText(tag).width) / 2, top + 10.5);
    }
  }

  #panel(left, top, width, color) {
    this.context.fillStyle = color;
    this.context.beginPath();
    this.context.roundRect(left, top, width, 20, 5);
    this.context.fill();
  }

  #drawPointer(at) {
    const now = performance.now();
    this.clicks = this.clicks.filter((click) => click.until > now);
    for (const click of this.clicks) {
      const age = 1 - (click.until - now) / CLICK_SHOWN_MS;
      const [x, y] = [at.x + (click.x + 0.5) * this.scale, at.y + (click.y + 0.5) * this.scale];
      this.#ring(x, y, 8 + 12 * age, click.label ? `rgba(255, 255, 255, ${1 - age})` : `rgba(255, 82, 82, ${1 - age})`);
    }
    if (!this.press?.dragging) return;
    const [a, b] = [this.#toSource(this.press.x, this.press.y), this.#toSource(this.press.toX, this.press.toY)];
    const box = [at.x + a[0] * this.scale, at.y + a[1] * this.scale, (b[0] - a[0]) * this.scale, (b[1] - a[1]) * this.scale];
    for (const [color, width] of [["#101216", 3], ["#fff", 1.5]]) {
      this.context.strokeStyle = color;
      this.context.lineWidth = width;
      this.context.strokeRect(...box);
    }
  }

  #ring(x, y, radius, color) {
    this.context.strokeStyle = color;
    this.context.lineWidth = 2.5;
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.context.stroke();
  }

  // From CSS px on the canvas to pixels of the source, on the half where the press began; the nearest one outside.
  #toSource(x, y) {
    const at = this.halves[this.press?.half ?? this.#halfAt(x, y)];
    const [width, height] = this.about.size;
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    return [clamp((x - at.x) / this.scale - 0.5, width - 1), clamp((y - at.y) / this.scale - 0.5, height - 1)];
  }

  #halfAt(x, y) {
    return this.halves.findLastIndex((at) => at.x <= x && at.y <= y);
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
  }

  #down(event) {
    this.pointers.add(event.pointerId);
    if (!this.about || this.pointers.size > 1) return this.#drop();  // two fingers zoom
    const [x, y] = [event.offsetX, event.offsetY];
    this.press = { id: event.pointerId, kind: event.pointerType, x, y, toX: x, toY: y, half: Math.max(0, this.#halfAt(x, y)), frameId: this.about.frame_id, dragging: false };
    if (event.button === 2) {
      this.#click(0);
      return this.#drop();
    }
    canvasCapture(this.canvas, event.pointerId);
    if (event.pointerType !== "mouse") {
      this.press.timer = setTimeout(() => this.#hold(), LONG_PRESS_MS);
    }
  }

  // A busy page hears of a lifted finger late: whatever waits to be heard comes first.
  #hold() {
    this.press.timer = setTimeout(() => {
      navigator.vibrate?.(15);
      this.#click(0);
      this.#drop();
    });
  }

  #move(event) {
    const { press } = this;
    if (!press || press.id !== event.pointerId) return;
    [press.toX, press.toY] = [event.offsetX, event.offsetY];
    if (!press.dragging && Math.max(Math.abs(press.toX - press.x), Math.abs(press.toY - press.y)) >= (DRAG_PX[press.kind] ?? 5)) {
      press.dragging = true;
      clearTimeout(press.timer);
    }
    if (press.dragging) this.draw();
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
    if (this.press?.id !== event.pointerId) return;
    if (this.press.dragging) this.#box();
    else this.#click(1);
    this.#drop();
  }

  #cancel(event) {
    this.pointers.delete(event.pointerId);
    if (this.press?.id === event.pointerId) this.#drop();
  }

  #drop() {
    clearTimeout(this.press?.timer);
    this.press = null;
    this.draw();
  }

  // A click is about the picture that was there when the finger came down.
  #click(label) {
    const [x, y] = this.#toSource(this.press.x, this.press.y);
    this.clicks.push({ x, y, label, until: performance.now() + CLICK_SHOWN_MS });
    this.act({ type: "click", frame_id: this.press.frameId, x, y, label });
  }

  // A box is about the picture on which it was finished.
  #box() {
    const [a, b] = [this.#toSource(this.press.x, this.press.y), this.#toSource(this.press.toX, this.press.toY)];
    const [x0, x1] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    const [y0, y1] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
    if (x0 < x1 && y0 < y1) this.act({ type: "box", frame_id: this.about.frame_id, x0, y0, x1, y1 });
  }
}

function canvasCapture(canvas, id) {
  try {
    canvas.setPointerCapture(id);
  } catch {
    // the pointer has gone already
  }
}

// Above the box, below or inside, on the picture, and where no other label is.
function freePlace([x0, y0, x1, y1], [width, height], taken, [right, bottom]) {
  const wanted = [y0 - height - 3, y1 + 3, y0 + 3].flatMap((y) => [[x0, y], [x1 - width, y]]);
  const places = wanted.map(([x, y]) => [Math.min(Math.max(x, 0), right - width), Math.min(Math.max(y, 0), bottom - height)]);
  const overlap = ([x, y]) => taken.reduce((sum, [a, b, c, d]) =>
    sum + Math.max(0, Math.min(x + width, c) - Math.max(x, a)) * Math.max(0, Math.min(y + height, d) - Math.max(y, b)), 0);
  return places.reduce((best, place) => (overlap(place) < overlap(best) ? place : best));
}
