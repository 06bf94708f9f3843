// Runs an exported file on an image of the reader's, with onnxruntime-web; all of it lies in the page.
(() => {
  const data = document.getElementById("try-models");
  if (!data) return;
  const models = JSON.parse(data.textContent), picked = document.getElementById("try-model"), file = document.getElementById("try-file");
  const drop = document.getElementById("try-drop"), status = document.getElementById("try-status"), list = document.getElementById("try-labels");
  const seen = document.getElementById("try-seen"), SHOWN = 5, LARGEST_PIXELS = 64e6, sessions = new Map();
  let runtime = null, image = null, turn = 0;

  async function unpacked(id) {
    const text = atob(document.getElementById(id).textContent.trim()), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  async function loadRuntime() {
    const address = URL.createObjectURL(new Blob([await unpacked("try-module")], {type: "text/javascript"}));
    const module = await import(address), ort = module.InferenceSession ? module : module.default;
    ort.env.wasm.numThreads = 1; // more need headers that a file cannot have
    ort.env.wasm.wasmBinary = (await unpacked("try-wasm")).buffer;
    return ort;
  }

  function session(index) {
    if (!sessions.has(index)) sessions.set(index, (async () => {
      const ort = await (runtime ||= loadRuntime());
      return ort.InferenceSession.create(await unpacked(`try-content-${index}`), {executionProviders: ["wasm"]});
    })());
    return sessions.get(index);
  }

  // Halves go to the even neighbor, as in Python.
  const halfEven = value => { const low = Math.floor(value); return value - low !== 0.5 ? Math.round(value) : low + low % 2; };

  // One axis of Pillow's antialiased bilinear filter: for each place of the result the first source and its weights.
  function filter(from, to) {
    const scale = from / to, support = Math.max(scale, 1);
    return Array.from({length: to}, (_, i) => {
      const center = (i + 0.5) * scale, first = Math.max(0, Math.trunc(center - support + 0.5));
      const last = Math.min(from, Math.trunc(center + support + 0.5));
      const weights = Array.from({length: last - first}, (_, k) => Math.max(0, 1 - Math.abs((first + k - center + 0.5) / support)));
      const sum = weights.reduce((a, b) => a + b, 0);
      return {first, weights: weights.map(w => w / sum)};
    });
  }

  // Pixels RGB [height, width, 3] of 0..255 with the width, then the height resized, rounded after each, as Pillow does.
  function resized(pixels, width, height, newWidth, newHeight) {
    const across = filter(width, newWidth), down = filter(height, newHeight);
    const middle = width === newWidth ? pixels : new Uint8ClampedArray(height * newWidth * 3);
    if (width !== newWidth) for (let y = 0; y < height; y++) for (let x = 0; x < newWidth; x++) for (let c = 0; c < 3; c++) {
      let sum = 0;
      across[x].weights.forEach((w, k) => { sum += w * pixels[(y * width + across[x].first + k) * 3 + c]; });
      middle[(y * newWidth + x) * 3 + c] = Math.floor(sum + 0.5);
    }
    if (height === newHeight) return middle;
    const result = new Uint8ClampedArray(newHeight * newWidth * 3);
    for (let y = 0; y < newHeight; y++) for (let x = 0; x < newWidth; x++) for (let c = 0; c < 3; c++) {
      let sum = 0;
      down[y].weights.forEach((w, k) => { sum += w * middle[((down[y].first + k) * newWidth + x) * 3 + c]; });
      result[(y * newWidth + x) * 3 + c] = Math.floor(sum + 0.5);
    }
    return result;
  }

  // The image as the model takes it: upright, on white, the shorter side resized, the center cut out; RGB [size, size, 3].
  function fitted(bitmap, model) {
    const {width, height} = bitmap, canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext("2d", {willReadFrequently: true});
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, 0, 0);
    const drawn = pen.getImageData(0, 0, width, height).data, rgb = new Uint8ClampedArray(width * height * 3);
    for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = drawn[4 * i + c];
    const short = Math.min(width, height), same = short === model.resize, size = model.size;
    const w = same ? width : Math.trunc(model.resize * width / short), h = same ? height : Math.trunc(model.resize * height / short);
    const whole = same ? rgb : resized(rgb, width, height, w, h);
    const left = halfEven((w - size) / 2), top = halfEven((h - size) / 2), cut = new Uint8ClampedArray(size * size * 3);
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) for (let c = 0; c < 3; c++) {
      const [sy, sx] = [y + top, x + left]; // beyond the image: black, as Pillow cuts
      cut[(y * size + x) * 3 + c] = sy < 0 || sx < 0 || sy >= h || sx >= w ? 0 : whole[(sy * w + sx) * 3 + c];
    }
    return cut;
  }

  function show(pixels, size) {
    const shown = new ImageData(size, size);
    for (let i = 0; i < size * size; i++) shown.data.set([pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2], 255], 4 * i);
    seen.width = seen.height = size;
    seen.getContext("2d").putImageData(shown, 0, 0);
    seen.hidden = false;
  }

  async function answer() {
    if (!image) return;
    const mine = ++turn, index = +picked.value, model = models[index];
    status.textContent = `Running ${model.name} …`;
    list.replaceChildren();
    try {
      const bitmap = await createImageBitmap(image, {colorSpaceConversion: "none", imageOrientation: "from-image"});
      if (bitmap.width * bitmap.height > LARGEST_PIXELS) throw new Error(`an image of ${bitmap.width} x ${bitmap.height} is too large`);
      const pixels = fitted(bitmap, model), area = model.size ** 2, values = new Float32Array(3 * area);
      for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) values[c * area + i] = pixels[3 * i + c];
      show(pixels, model.size);
      const [ort, loaded] = await Promise.all([runtime ||= loadRuntime(), session(index)]);
      const input = new ort.Tensor("float32", values, [1, 3, model.size, model.size]);
      const outputs = await loaded.run({[model.input]: input}), found = [...outputs[model.output].data];
      if (mine !== turn) return; // another image or file was chosen meanwhile
      const best = found.map((p, i) => [p, model.labels[i]]).sort((a, b) => b[0] - a[0]).slice(0, SHOWN);
      list.replaceChildren(...best.map(([p, label]) => Object.assign(document.createElement("li"), {textContent: `${label} ${(100 * p).toFixed(1)} %`})));
      const version = ort.env.versions?.web;
      status.textContent = `${model.name} says of ${image.name || "this image"}, by onnxruntime-web${version ? ` ${version}` : ""}:`;
    } catch (error) {
      if (mine === turn) status.textContent = `Not run: ${error.message || error}`;
    }
  }

  const take = chosen => { if (chosen) { image = chosen; answer(); } };
  file.addEventListener("change", () => take(file.files[0]));
  picked.addEventListener("change", answer);
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", event => { event.preventDefault(); take(event.dataTransfer.files[0]); });
})();
