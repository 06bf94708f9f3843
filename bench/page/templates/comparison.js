// The chart and the table of all figures, linked to each other, to the filters and to the address.
(() => {
  const data = document.getElementById("points");
  if (!data) return;
  const points = JSON.parse(data.textContent), byKey = new Map(points.map(p => [p.key, p]));
  const models = [...new Set(points.map(p => p.model))].sort();
  const table = document.getElementById("rows"), headings = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const lines = new Map([...body.rows].map(row => [row.dataset.key, row]));
  const host = document.getElementById("scatter"), detail = document.getElementById("detail");
  const axis = [...document.querySelectorAll("#axis input[type=radio]")], log = document.getElementById("log");
  const only = document.getElementById("only"), boxes = [...document.querySelectorAll("[data-filter] input")];
  const columns = [...document.querySelectorAll("#chooser input")];
  const COSTS = {p50: ["median latency, ms", 1e6], p90: ["90th percentile of the latency, ms", 1e6], load: ["load time, ms", 1e6],
    bytes: ["size, MB", 1e6], peak: ["peak memory of the process, MB", 1e6]};
  const FORMATS = {coreml: "● Core ML", onnx: "■ ONNX", torch: "▲ PyTorch", coreai: "◆ Core AI"};
  const address = readAddress();
  let chosen = new Set((address.get("chosen") || "").split(" ").filter(key => byKey.has(key))), current = null;
  let sort = (address.get("sort") || "").split(" ");

  // The page opens with the cost that most figures have; where several have as many, with the first of them.
  const drawable = input => points.filter(p => p[input.value] > 0 && p.top1 !== null).length;
  for (const input of axis) input.disabled = !drawable(input);
  const fullest = axis.reduce((best, input) => drawable(input) > drawable(best) ? input : best);
  const wanted = axis.find(i => i.value === address.get("cost") && !i.disabled) || (fullest.disabled ? undefined : fullest);
  if (wanted) wanted.checked = true;
  log.checked = address.get("scale") === "log";
  only.checked = address.get("only") === "1";
  const off = new Set(address.getAll("off").flatMap(text => text.split("\n")));
  for (const box of boxes) box.checked = !off.has(`${box.closest("[data-filter]").dataset.filter}=${box.value}`);
  if (off.size) document.getElementById("filters").open = true;
  if (address.has("columns")) {
    const shown = new Set(address.get("columns").split(" "));
    for (const box of columns) box.checked = shown.has(box.value);
  }
  const standard = columns.filter(box => box.defaultChecked).map(box => box.value).join(" ");

  function passes(point) {
    return boxes.every(box => box.checked || point[box.closest("[data-filter]").dataset.filter] !== box.value)
      && (!only.checked || !chosen.size || chosen.has(point.key));
  }

  function text(point) {
    const rows = lines.get(point.key).cells;
    const cell = name => rows[headings.findIndex(h => h.dataset.column === name)].textContent;
    return [point.name, point.machine !== "-" ? point.machine : null, `${cell("top1")} % top-1 (${cell("images")} images)`,
      `${cell("bytes")} MB`, point.p50 === null ? null : `${cell("p50")} ms median, ${cell("p90")} ms p90`].filter(Boolean).join("\n");
  }

  function draw() {
    const key = axis.find(i => i.checked)?.value;
    const seen = points.filter(passes);
    for (const [id, row] of lines) {
      row.hidden = !passes(byKey.get(id));
      row.setAttribute("aria-selected", chosen.has(id));
    }
    const drawn = key ? seen.filter(p => p[key] > 0 && p.top1 !== null) : [];
    if (!drawn.length) {
      host.replaceChildren(Object.assign(document.createElement("p"), {className: "soft",
        textContent: key ? "No point: nothing shown here has both an accuracy and this cost." : "No point: no figure has both an accuracy and a cost."}));
      return;
    }
    const [label, unit] = COSTS[key], cost = p => p[key] / unit, top = p => p.top1 * 100;
    const tops = drawn.map(top), costs = drawn.map(cost);
    const spare = Math.max(0, 1 - (Math.max(...tops) - Math.min(...tops))) / 2; // less than a point is not drawn as if it were much
    const f = frame(host, {xLow: log.checked ? Math.min(...costs) : 0, xHigh: Math.max(...costs), log: log.checked,
      yLow: Math.min(...tops) - spare, yHigh: Math.min(100, Math.max(...tops) + spare), xLabel: label, yLabel: "top-1 accuracy, %"});
    const front = drawn.filter(p => !drawn.some(o => o !== p && cost(o) <= cost(p) && top(o) >= top(p) && (cost(o) < cost(p) || top(o) > top(p))))
      .sort((a, b) => cost(a) - cost(b));
    node("path", {class: "front", d: front.map((p, i) => i ? `H${f.x(cost(p))}V${f.y(top(p))}` : `M${f.x(cost(p))} ${f.y(top(p))}`).join("")}, f.svg);
    for (const p of drawn) {
      if (key === "p50" && p.interval) node("line", {class: "whisker", stroke: color(models, p.model), x1: f.x(Math.max(p.interval[0] / unit, log.checked ? Math.min(...costs) : 0)),
        x2: f.x(Math.min(p.interval[1] / unit, Math.max(...costs))), y1: f.y(top(p)), y2: f.y(top(p))}, f.svg);
      const mark = node("path", {class: `mark${chosen.has(p.key) ? " chosen" : chosen.size ? " dim" : ""}`, d: SHAPES[p.format](front.includes(p) ? 7 : 5.5),
        transform: `translate(${f.x(cost(p))} ${f.y(top(p))})`, fill: color(models, p.model), "data-key": p.key}, f.svg);
      mark.addEventListener("pointerenter", event => showTip(text(p), event));
      mark.addEventListener("pointerleave", hideTip);
    }
    const legend = document.createElement("figcaption");
    for (const model of models.filter(m => drawn.some(p => p.model === m))) {
      const swatch = Object.assign(document.createElement("span"), {className: "swatch"});
      swatch.style.background = color(models, model);
      legend.append(swatch, ` ${model}  `);
    }
    const formats = Object.entries(FORMATS).filter(([name]) => drawn.some(p => p.format === name)).map(([, told]) => told);
    legend.append(formats.join("  "));
    host.append(legend);
    brush(f, drawn, p => ({x: f.x(cost(p)), y: f.y(top(p))}));
    host.order = [...drawn].sort((a, b) => cost(a) - cost(b));
  }

  // Dragging over the drawing selects what lies inside; a click on a mark selects that one.
  function brush(f, drawn, place) {
    const at = event => {
      const box = f.svg.getBoundingClientRect(), scale = f.svg.viewBox.baseVal.width / box.width;
      return {x: (event.clientX - box.x) * scale, y: (event.clientY - box.y) * scale};
    };
    f.svg.addEventListener("pointerdown", down => {
      if (down.pointerType === "touch" && !down.target.dataset.key) return;
      const from = at(down), area = node("rect", {class: "brush", width: 0, height: 0}, f.svg);
      const key = down.target.dataset.key;
      let moved = false;
      const move = event => {
        const to = at(event);
        moved ||= Math.hypot(to.x - from.x, to.y - from.y) > 5;
        for (const [name, value] of Object.entries({x: Math.min(from.x, to.x), y: Math.min(from.y, to.y),
          width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y)})) area.setAttribute(name, value);
      };
      const up = event => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
        const to = at(event);
        const inside = p => { const q = place(p);
          return q.x >= Math.min(from.x, to.x) && q.x <= Math.max(from.x, to.x) && q.y >= Math.min(from.y, to.y) && q.y <= Math.max(from.y, to.y); };
        area.remove();
        if (moved) choose(drawn.filter(inside).map(p => p.key));
        else choose(key ? [key] : []);
        if (!moved && key) lines.get(key).scrollIntoView({block: "nearest"});
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
    });
  }

  function choose(keys) {
    chosen = new Set(keys);
    tell();
    draw();
    remember();
  }

  function tell() {
    const first = byKey.get([...chosen][0]);
    detail.replaceChildren();
    if (!first) {
      detail.append(Object.assign(document.createElement("p"), {className: "soft", textContent: "Nothing is selected."}));
      return;
    }
    detail.append(Object.assign(document.createElement("h3"), {textContent: first.name}));
    if (chosen.size > 1) detail.append(Object.assign(document.createElement("p"), {className: "soft", textContent: `and ${chosen.size - 1} more`}));
    const list = document.createElement("dl");
    for (const [name, value] of first.origin)
      list.append(Object.assign(document.createElement("dt"), {textContent: name}), Object.assign(document.createElement("dd"), {textContent: value}));
    detail.append(list);
  }

  function order() {
    const [column, direction] = sort;
    headings.forEach(h => h.setAttribute("aria-sort", h.dataset.column === column ? direction : "none"));
    const heading = headings.find(h => h.dataset.column === column);
    if (!heading) return;
    const figure = heading.classList.contains("figure"), up = direction === "ascending" ? 1 : -1;
    const cell = row => row.cells[headings.indexOf(heading)].textContent;
    const value = row => figure ? byKey.get(row.dataset.key)[column] : cell(row);
    body.append(...[...body.rows].sort((a, b) => {
      // What was not measured stays below, whichever way the rest is sorted.
      if (figure && (value(a) === null || value(b) === null)) return (value(a) === null) - (value(b) === null);
      return up * (figure ? value(a) - value(b) : value(a).localeCompare(value(b)));
    }));
  }

  function showColumns() {
    for (const box of columns) {
      const index = headings.findIndex(h => h.dataset.column === box.value);
      for (const row of table.rows) row.cells[index].hidden = !box.checked;
    }
  }

  function remember() {
    const shown = columns.filter(box => box.checked).map(box => box.value).join(" ");
    const cost = axis.find(i => i.checked)?.value;
    writeAddress({chosen: [...chosen].join(" "), cost: cost === fullest.value ? "" : cost, scale: log.checked ? "log" : "",
      only: only.checked ? "1" : "", sort: sort.filter(Boolean).join(" "), columns: shown === standard ? "" : shown,
      off: boxes.filter(box => !box.checked).map(box => `${box.closest("[data-filter]").dataset.filter}=${box.value}`).join("\n")});
  }

  headings.forEach(heading => heading.querySelector("button").addEventListener("click", () => {
    sort = [heading.dataset.column, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"];
    order();
    remember();
  }));
  for (const input of [...axis, log, only, ...boxes]) input.addEventListener("change", () => { draw(); remember(); });
  for (const box of columns) box.addEventListener("change", () => { showColumns(); remember(); });
  for (const row of body.rows) row.addEventListener("click", event =>
    choose(event.ctrlKey || event.metaKey ? [...chosen].filter(k => k !== row.dataset.key).concat(chosen.has(row.dataset.key) ? [] : [row.dataset.key]) : [row.dataset.key]));
  document.getElementById("clear").addEventListener("click", () => {
    for (const box of boxes) box.checked = true;
    only.checked = false;
    choose([]);
  });
  host.addEventListener("keydown", event => {
    const all = host.order || [], step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (event.key === "Escape") { hideTip(); choose([]); current = null; return; }
    if (event.key === "Enter" && current) { choose([current]); lines.get(current).scrollIntoView({block: "nearest"}); return; }
    if (!step || !all.length) return;
    event.preventDefault();
    const index = all.findIndex(p => p.key === current);
    current = all[index < 0 ? (step > 0 ? 0 : all.length - 1) : (index + step + all.length) % all.length].key;
    const box = host.querySelector(`[data-key="${current}"]`).getBoundingClientRect();
    showTip(text(byKey.get(current)), {x: box.x + box.width, y: box.y + box.height});
  });
  host.addEventListener("blur", hideTip);
  addEventListener("resize", draw);

  showColumns();
  order();
  tell();
  draw();
})();
