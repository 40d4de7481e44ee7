// The pad: a pen, a keyboard or a picture makes ink; ink becomes what the network reads; the network runs twice.
"use strict";

const retronet = (() => {
  const data = JSON.parse(document.getElementById("pad-data").textContent);
  const network = RetronetNetwork(data.network), { frame, samples } = data;
  const GRID = 160, STEP = 4;
  const find = (id) => document.getElementById(id);
  const pad = find("pad"), pen = find("pen"), width = find("pen-width");
  const surface = pad.getContext("2d");

  // What is on the pad: ink of a picture, strokes over it, or a digit of the data set in place of both.
  let base = null, strokes = [], sample = null, made = null;
  const cursor = { x: GRID / 2, y: GRID / 2, down: false, shown: false };

  // Ink within half a width of the line between two points.
  function draw(ink, from, to, size) {
    const reach = size / 2, dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy;
    const clamp = (value) => Math.max(0, Math.min(GRID - 1, value));
    const first = clamp(Math.floor(Math.min(from.y, to.y) - reach)), last = clamp(Math.ceil(Math.max(from.y, to.y) + reach));
    const start = clamp(Math.floor(Math.min(from.x, to.x) - reach)), end = clamp(Math.ceil(Math.max(from.x, to.x) + reach));
    for (let row = first; row <= last; row++) {
      for (let column = start; column <= end; column++) {
        const x = column + 0.5 - from.x, y = row + 0.5 - from.y;
        const along = length ? Math.max(0, Math.min(1, (x * dx + y * dy) / length)) : 0;
        if ((x - along * dx) ** 2 + (y - along * dy) ** 2 <= reach * reach) ink[row * GRID + column] = 1;
      }
    }
  }

  function inkNow() {
    const ink = base ? base.slice() : new Uint8Array(GRID * GRID);
    for (const { points, size } of strokes) {
      points.forEach((point, index) => draw(ink, points[Math.max(index - 1, 0)], point, size));
    }
    return ink;
  }

  function paint(ink) {
    const picture = surface.createImageData(GRID, GRID);
    for (let index = 0; index < ink.length; index++) {
      const level = ink[index] ? 20 : 255;
      picture.data.set([level, level, level, 255], 4 * index);
    }
    surface.putImageData(picture, 0, 0);
    if (!cursor.shown) return;
    surface.lineWidth = 1.5;
    surface.strokeStyle = cursor.down ? "#c1121f" : "#1f6feb";
    surface.beginPath();
    surface.arc(cursor.x, cursor.y, Number(width.value) / 2, 0, 2 * Math.PI);
    surface.stroke();
  }

  // Maps side by side in a picture of one pixel a unit, with a pixel between them.
  function paintMaps(canvas, shape, values, low, high) {
    const [maps, rows, columns] = shape, single = rows * columns === 1;
    const most = single ? (maps > 40 ? 20 : 10) : rows > 8 ? 4 : 6;
    const across = Math.min(maps, most), gap = single ? 0 : 1;
    const down = Math.ceil(maps / across);
    canvas.width = across * (columns + gap) - gap;
    canvas.height = down * (rows + gap) - gap;
    const context = canvas.getContext("2d"), picture = context.createImageData(canvas.width, canvas.height);
    values.forEach((value, unit) => {
      const map = Math.floor(unit / (rows * columns)), place = unit % (rows * columns);
      const y = Math.floor(map / across) * (rows + gap) + Math.floor(place / columns);
      const x = (map % across) * (columns + gap) + (place % columns);
      const level = Math.round(255 * (1 - Math.max(0, Math.min(1, (value - low) / (high - low)))));
      picture.data.set([level, level, level, 255], 4 * (y * canvas.width + x));
    });
    context.putImageData(picture, 0, 0);
  }

  const signed = (value) => value.toFixed(3).replace("-", "−");

  function table(values, columns) {
    const rows = [];
    for (let first = 0; first < values.length; first += columns) {
      rows.push(`<tr>${values.slice(first, first + columns).map((each) => `<td>${each}</td>`).join("")}</tr>`);
    }
    return `<table class="grid"><tbody>${rows.join("")}</tbody></table>`;
  }

  function showIntegers() {
    const index = Number(find("layer").value), layer = data.network.layers[index];
    const [maps, rows, columns] = layer.shape, single = rows * columns === 1;
    const choice = find("map");
    if (choice.dataset.layer !== String(index)) {
      const count = single ? 1 : maps;
      choice.innerHTML = Array.from({ length: count }, (_, map) =>
        `<option value="${map}">${single ? "all units" : map}</option>`).join("");
      choice.dataset.layer = index;
    }
    const target = find("integers");
    if (!made) {
      target.textContent = "Draw a digit first.";
      return;
    }
    const map = Number(choice.value), size = single ? maps : rows * columns;
    const part = (values) => values.slice(map * size, (map + 1) * size).map((value) => String(value).replace("-", "−"));
    const parts = [["Sums, bias included", made.integers.layers[index].after_bias],
      [`States, in steps of ${layer.step}`, made.integers.layers[index].states]];
    target.innerHTML = parts.map(([title, values]) =>
      `<h4>${title}</h4><div class="scroll" tabindex="0" role="region" aria-label="${title}">`
      + `${table(part(values), single ? 10 : columns)}</div>`).join("");
  }

  function showOutputs() {
    const outputs = made && [made.reals.outputs, made.integers.outputs];
    const last = made && made.integers.layers[made.integers.layers.length - 1].states;
    const reach = outputs && Math.max(...outputs.flat().map(Math.abs), 1e-9);
    document.querySelectorAll("#outputs tbody tr").forEach((row, digit) => {
      const cells = row.querySelectorAll("td");
      [0, 1].forEach((kind) => {
        const value = outputs ? outputs[kind][digit] : 0;
        const bar = cells[kind].querySelector(".bar"), best = made && outputs[kind].indexOf(Math.max(...outputs[kind])) === digit;
        cells[kind].querySelector(".number").textContent = made ? signed(value) : "–";
        cells[kind].classList.toggle("best", Boolean(best));
        bar.style.left = `${value < 0 ? 50 - (50 * -value) / reach : 50}%`;
        bar.style.width = made ? `${(50 * Math.abs(value)) / reach}%` : "0";
      });
      cells[2].textContent = made ? (data.network.codes ? "–" : String(last[digit]).replace("-", "−")) : "–";
    });
  }

  function show(image, what) {
    made = image && { image: Array.from(image), integers: network.integers(image), reals: network.reals(image) };
    const blank = new Array(frame.size ** 2).fill(frame.low);
    paintMaps(find("input"), [1, frame.size, frame.size], image ? Array.from(image) : blank, frame.low, frame.high);
    data.network.layers.forEach((layer, index) => {
      const states = made ? made.integers.layers[index].states.map((state) => state * layer.step) : [];
      const reals = made ? made.reals.layers[index].states : [];
      const reach = data.reaches[index] || Math.max(1e-9, ...reals, ...states);
      paintMaps(find(`real-${index}`), layer.shape, reals, -reach, reach);
      paintMaps(find(`integer-${index}`), layer.shape, states, -reach, reach);
    });
    showOutputs();
    showIntegers();
    if (!made) {
      find("answer").textContent = "Draw a digit.";
      return;
    }
    const [real, whole] = [made.reals.answer, made.integers.answer];
    find("answer").textContent =
      `${what ? `${what}: ` : ""}${real} in floating point, ${whole} in ${data.bits}${real === whole ? "" : " – they differ"}.`;
  }

  let waiting = false;
  function refresh() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      now();
    });
  }

  function now() {
    if (sample !== null) {
      const size = frame.size ** 2, image = samples.pixels.slice(sample * size, (sample + 1) * size);
      paint(Uint8Array.from({ length: GRID * GRID }, (_, index) => {
        const row = Math.floor((Math.floor(index / GRID) * frame.size) / GRID);
        const column = Math.floor(((index % GRID) * frame.size) / GRID);
        return image[row * frame.size + column] > (frame.low + frame.high) / 2 ? 1 : 0;
      }));
      show(image, `Test digit ${sample}, a ${samples.labels[sample]}`);
      return;
    }
    const ink = inkNow();
    paint(ink);
    show(RetronetNormalise(ink, GRID, GRID, frame), "");
  }

  function begin(point) {
    if (sample !== null) {
      sample = null;
      strokes = [];
      base = null;
    }
    strokes.push({ points: [point], size: Number(width.value) });
    refresh();
  }

  function extend(point) {
    strokes[strokes.length - 1].points.push(point);
    refresh();
  }

  function clear() {
    base = null;
    strokes = [];
    sample = null;
    cursor.down = false;
    refresh();
  }

  function undo() {
    if (strokes.length) strokes.pop();
    else base = null;
    cursor.down = false;
    refresh();
  }

  function placeOf(event) {
    const box = pad.getBoundingClientRect();
    return { x: ((event.clientX - box.left) * GRID) / box.width, y: ((event.clientY - box.top) * GRID) / box.height };
  }

  let drawing = null;
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drawing !== null) return;
    event.preventDefault();
    pad.focus({ preventScroll: true });
    pad.setPointerCapture(event.pointerId);
    drawing = event.pointerId;
    cursor.shown = false;
    begin(placeOf(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    (events.length ? events : [event]).forEach((each) => extend(placeOf(each)));
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    pad.addEventListener(name, (event) => {
      if (event.pointerId === drawing) drawing = null;
    });
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pad.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in ARROWS) {
      const [x, y] = ARROWS[event.key], far = STEP * (event.shiftKey ? 4 : 1);
      cursor.x = Math.max(4, Math.min(GRID - 4, cursor.x + x * far));
      cursor.y = Math.max(4, Math.min(GRID - 4, cursor.y + y * far));
      cursor.shown = true;
      if (cursor.down) extend({ x: cursor.x, y: cursor.y });
      else refresh();
    } else if (event.key === " " || event.key === "Enter") {
      cursor.shown = true;
      cursor.down = !cursor.down;
      if (cursor.down) begin({ x: cursor.x, y: cursor.y });
      else refresh();
      pen.textContent = cursor.down ? "The pen is down." : "The pen is up.";
    } else if (event.key === "Backspace" || event.key.toLowerCase() === "u") {
      undo();
    } else if (event.key === "Delete" || event.key.toLowerCase() === "c") {
      clear();
    } else {
      return;
    }
    event.preventDefault();
  });
  pad.addEventListener("blur", () => {
    cursor.shown = cursor.down = false;
    refresh();
  });

  // Darkness, turned over where most of the picture is dark; ink is the darker half of its range.
  function inkOf(pixels) {
    const dark = Array.from({ length: GRID * GRID }, (_, index) => {
      const [red, green, blue] = pixels.subarray(4 * index, 4 * index + 3);
      return 1 - (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
    });
    const least = Math.min(...dark), most = Math.max(...dark), middle = (least + most) / 2;
    if (most - least < 0.05) return new Uint8Array(GRID * GRID);
    const turned = dark.filter((each) => each > middle).length > dark.length / 2;
    return Uint8Array.from(dark, (each) => (turned ? each < middle : each > middle) ? 1 : 0);
  }

  async function take(file) {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      find("answer").textContent = `${file.name} is no picture that this browser reads; drop a PNG or JPEG file.`;
      return;
    }
    const scale = GRID / Math.max(picture.width, picture.height);
    const wide = Math.max(1, Math.round(picture.width * scale)), high = Math.max(1, Math.round(picture.height * scale));
    const canvas = new OffscreenCanvas(GRID, GRID), context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, GRID, GRID);
    // What lies around it is as its corner, so that a dark picture is turned over as a whole.
    context.drawImage(picture, 0, 0, 1, 1, 0, 0, GRID, GRID);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, (GRID - wide) / 2, (GRID - high) / 2, wide, high);
    base = inkOf(context.getImageData(0, 0, GRID, GRID).data);
    strokes = [];
    sample = null;
    refresh();
  }

  const zone = find("pad-zone");
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
  find("picture").addEventListener("change", (event) => event.target.files.length && take(event.target.files[0]));
  find("clear").addEventListener("click", clear);
  find("undo").addEventListener("click", undo);
  find("sample").addEventListener("click", () => {
    sample = sample === null ? 0 : (sample + 1) % samples.labels.length;
    refresh();
  });
  find("layer").addEventListener("change", showIntegers);
  find("map").addEventListener("change", showIntegers);
  samples.pixels = (() => {
    const bytes = Uint8Array.from(atob(samples.images.data), (character) => character.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  })();
  now();

  // For scripts: the network, what stands on the page, and a digit from elsewhere to put there.
  return { network, frame, show, ink: inkNow, made: () => made, normalised: RetronetNormalise };
})();
