"use strict";
// Drawing shared by the charts: axes with round ticks, marks, and one tip that follows the pointer.
// Taken from the page, so that it holds no address of another place.
const SVG = document.getElementById("blank").namespaceURI;

function node(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function roundTicks(low, high, about) {
  const span = high - low || Math.abs(high) || 1, raw = span / about, unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * unit).find(s => s >= raw);
  const first = Math.floor(low / step + 1e-9), last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({length: last - first + 1}, (_, i) => +((first + i) * step).toPrecision(12));
}

function powerTicks(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const m of [1, 2, 5]) found.push(+(m * 10 ** e).toPrecision(6));
  const first = found.findLastIndex(t => t <= low), last = found.findIndex(t => t >= high);
  return found.slice(Math.max(first, 0), last < 0 ? undefined : Math.max(last, first + 1) + 1);
}

// Writes the marks of one axis with as many places as the one that needs most.
function told(ticks) {
  const places = Math.max(...ticks.map(t => (String(t).split(".")[1] || "").length));
  return t => t.toFixed(Math.min(places, 12));
}

// A frame with axes; `x` and `y` of the result turn values into places. As wide as its host, so that text keeps its size.
function frame(host, {xLow, xHigh, yLow, yHigh, xLabel, yLabel, log}) {
  const width = Math.max(320, Math.min(860, host.clientWidth || 860)), height = Math.round(130 + width * 0.35);
  const left = 62, right = 18, top = 26, bottom = 48;
  const svg = node("svg", {viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true"});
  const xTicks = log ? powerTicks(xLow, xHigh) : roundTicks(xLow, xHigh, 7), yTicks = roundTicks(yLow, yHigh, 6);
  const scale = log ? Math.log10 : v => v;
  const [a, b] = [scale(xTicks[0]), scale(xTicks.at(-1))], [c, d] = [yTicks[0], yTicks.at(-1)];
  const x = v => left + (scale(v) - a) / (b - a) * (width - left - right);
  const y = v => height - bottom - (v - c) / (d - c) * (height - top - bottom);
  for (const t of yTicks) {
    node("line", {class: "grid", x1: left, x2: width - right, y1: y(t), y2: y(t)}, svg);
    node("text", {x: left - 8, y: y(t) + 4, "text-anchor": "end"}, svg, told(yTicks)(t));
  }
  let lastText = -Infinity;
  for (const t of xTicks) {
    node("line", {class: "grid", x1: x(t), x2: x(t), y1: top, y2: height - bottom}, svg);
    if (x(t) - lastText < 34) continue;
    node("text", {x: x(t), y: height - bottom + 18, "text-anchor": "middle"}, svg, log ? String(t) : told(xTicks)(t));
    lastText = x(t);
  }
  node("text", {class: "soft", x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle"}, svg, xLabel);
  node("text", {class: "soft", x: 0, y: 0, "text-anchor": "middle",
    transform: `translate(14 ${(top + height - bottom) / 2}) rotate(-90)`}, svg, yLabel);
  host.replaceChildren(svg);
  return {svg, x, y, left, top, right: width - right, bottom: height - bottom};
}

const SHAPES = {
  coreml: r => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  onnx: r => `M${-r} ${-r}H${r}V${r}H${-r}z`,
  torch: r => `M0 ${-1.25 * r}L${1.15 * r} ${0.85 * r}H${-1.15 * r}z`,
  coreai: r => `M0 ${-1.35 * r}L${1.35 * r} 0L0 ${1.35 * r}L${-1.35 * r} 0z`,
};

const MODELS = JSON.parse(document.getElementById("models-data").textContent);
const color = model => `var(--c${Math.max(0, MODELS.indexOf(model)) % 8})`;

function swatch(fill) {
  const made = Object.assign(document.createElement("span"), {className: "swatch"});
  made.style.background = fill;
  return made;
}

function lineSample(attributes) {
  const svg = node("svg", {class: "sample", viewBox: "0 0 34 10"});
  node("path", {...attributes, d: "M0 5H34"}, svg);
  return svg;
}

// What the colors, shapes and lines mean: [a sample or nothing, text] each. Returns an element for each.
function addLegend(host, entries) {
  const legend = document.createElement("figcaption");
  const made = entries.map(([sample, text]) => {
    const one = document.createElement("span");
    if (sample) one.append(sample, " ");
    one.append(text);
    return one;
  });
  legend.append(...made);
  host.append(legend);
  return made;
}

// How wide a name in a drawing is; asked of a canvas, for asking the drawing lays the whole page out.
const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text) {
  ruler.font = "11px system-ui, sans-serif";
  return ruler.measureText(text).width;
}

const tip = document.getElementById("tip");
function showTip(text, at) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(at.x + 14, innerWidth - box.width - 4))}px`;
  tip.style.top = `${Math.max(4, at.y + 18 + box.height > innerHeight ? at.y - box.height - 10 : at.y + 18)}px`;
}
function hideTip() { tip.hidden = true; }

// What the reader chose lives in the address, so that a link shows the same.
function readAddress() { return new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : ""); }
function writeAddress(changes) {
  const all = readAddress();
  for (const [key, value] of Object.entries(changes)) value ? all.set(key, value) : all.delete(key);
  const text = all.toString();
  history.replaceState(null, "", text ? `#?${text}` : location.pathname + location.search);
}
