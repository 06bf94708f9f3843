// The chart and the table of all figures, linked to each other, to the filters and to the address.
(() => {
  const data = document.getElementById("points");
  if (!data) return;
  const points = JSON.parse(data.textContent), byKey = new Map(points.map(p => [p.key, p]));
  const models = [...new Set(points.map(p => p.model))].sort();
  const table = document.getElementById("rows"), headings = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const lines = new Map([...body.rows].map(row => [row.dataset.key, row]));
  const later = document.getElementById("more-rows")?.textContent.match(/<tr data-key=[^]*?<\/tr>/g) || [];
  const host = document.getElementById("scatter"), detail = document.getElementById("detail");
  const axis = [...document.querySelectorAll("#axis input[type=radio]")], log = document.getElementById("log");
  const only = document.getElementById("only"), boxes = [...document.querySelectorAll("[data-filter] input")];
  const columns = [...document.querySelectorAll("#chooser input")];
  const note = document.getElementById("scatter-note");
  const COSTS = {p50: ["median latency, ms", 1e6, "latency"], p90: ["90th percentile of the latency, ms", 1e6, "latency"], load: ["load time, ms", 1e6, "load time"],
    bytes: ["size, MB", 1e6, "size"], peak: ["peak memory of the process, MB", 1e6, "peak memory"], energy: ["energy of a prediction, mJ", 1e3, "energy"]};
  const FORMATS = {coreml: "● Core ML", onnx: "■ ONNX", torch: "▲ PyTorch", coreai: "◆ Core AI"};
  const address = readAddress();
  let chosen = new Set((address.get("chosen") || "").split(" ").filter(key => byKey.has(key))), current = null, front = [];
  let origins = null; // read when the first is asked for
  let sort = (address.get("sort") || "").split(" ");

  const costNow = () => axis.find(i => i.checked)?.value;
  const withCost = key => points.filter(p => p[key] > 0 && p.top1 !== null), costsOf = key => withCost(key).map(p => p[key]);
  const filesWith = key => new Set(withCost(key).map(p => p.file)).size;
  for (const input of axis) {
    input.disabled = !costsOf(input.value).length;
    input.parentElement.hidden = input.disabled;
  }
  // The page opens with the first cost that half of the files have: with the latency, unless most were never timed.
  const most = Math.max(...axis.map(input => filesWith(input.value)));
  const first = axis.find(input => !input.disabled && 2 * filesWith(input.value) >= most);
  const wanted = axis.find(i => i.value === address.get("cost") && !i.disabled) || first;
  if (wanted) wanted.checked = true;
  // Costs that lie far apart are crowded at one end of a straight scale: logarithmic, unless the reader said otherwise.
  const isFar = key => Math.max(...costsOf(key)) > 12 * Math.min(...costsOf(key));
  let scale = address.get("scale") || "";
  const setScale = () => { log.checked = scale ? scale === "log" : Boolean(costNow()) && isFar(costNow()); };
  setScale();
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

  // The rows that were not there when the page was painted, or the next `count` of them.
  function addRows(count = later.length) {
    if (!count) return;
    body.insertAdjacentHTML("beforeend", later.splice(0, count).join(""));
    for (const row of [...body.rows].slice(lines.size)) {
      lines.set(row.dataset.key, row);
      showState(row);
    }
  }

  function rowOf(key) {
    if (!lines.has(key)) addRows();
    return lines.get(key);
  }

  function showState(row) {
    row.hidden = !passes(byKey.get(row.dataset.key));
    row.setAttribute("aria-selected", chosen.has(row.dataset.key));
  }

  // A size is one of the file, whatever runs it: such a chart has one mark for all rows of a file with the same accuracy.
  const byFile = () => costNow() === "bytes";
  const groupOf = p => byFile() ? `${p.file} ${p.top1}` : p.key;
  const nameOf = p => byFile() ? `${p.model} ${p.variant}` : p.name;
  const oneEach = of => [...new Map(of.map(p => [groupOf(p), p]).reverse()).values()].reverse();
  const together = keys => {
    const groups = new Set(keys.map(key => groupOf(byKey.get(key))));
    return points.filter(p => groups.has(groupOf(p)) && passes(p)).map(p => p.key);
  };

  function text(point) {
    const cells = rowOf(point.key).cells;
    const cell = name => cells[headings.findIndex(h => h.dataset.column === name)].textContent;
    const accuracy = `top-1 ${cell("top1")} % on ${cell("images")} images`, size = `${cell("bytes")} MB`;
    if (byFile()) return [nameOf(point), accuracy, size].join("\n");
    const doubtful = cell("p50").endsWith("!") ? ", doubtful" : "", ms = name => `${cell(name).replace(" !", "")} ms`;
    return [point.name, point.machine !== "-" ? point.machine : null, accuracy, size,
      point.p50 === null ? null : `median ${ms("p50")}, p90 ${ms("p90")}${doubtful}`].filter(Boolean).join("\n");
  }

  function draw() {
    const key = costNow();
    const seen = points.filter(passes);
    for (const row of lines.values()) showState(row);
    if (![...body.rows].some(row => !row.hidden && row.tabIndex === 0)) {
      const reachable = [...body.rows].find(row => !row.hidden);
      if (reachable) reachable.tabIndex = 0;
    }
    const known = key ? seen.filter(p => p[key] > 0 && p.top1 !== null) : [], drawn = oneEach(known);
    const without = seen.length - known.length, picked = new Set([...chosen].map(k => groupOf(byKey.get(k))));
    note.textContent = key && drawn.length && without ? `${without} of the ${seen.length} rows ${without > 1 ? "are" : "is"} not drawn: no accuracy, or no ${COSTS[key][2]}, was measured.` : "";
    if (!drawn.length) {
      front = [];
      tell();
      host.replaceChildren(Object.assign(document.createElement("p"), {className: "soft",
        textContent: key ? "No point: nothing shown here has both an accuracy and this cost." : "No point: no figure has both an accuracy and a cost."}));
      return;
    }
    const [label, unit] = COSTS[key], cost = p => p[key] / unit, top = p => p.top1 * 100;
    // The axes reach to the ends of the intervals, but not to those of a cost that is hardly known.
    const costs = drawn.map(cost), most = 2 * Math.max(...costs), least = Math.min(...costs) / 2;
    const reach = p => key === "p50" && p.interval ? [Math.max(p.interval[0] / unit, least), Math.min(p.interval[1] / unit, most)] : null;
    const sure = drawn.length <= 40 ? p => p.top1_interval.map(v => v * 100) : p => [top(p), top(p)];
    const ends = drawn.flatMap(p => reach(p) || []).concat(costs), tops = drawn.flatMap(sure);
    const spare = Math.max(0, 1 - (Math.max(...tops) - Math.min(...tops))) / 2; // less than a point is not drawn as if it were much
    const f = frame(host, {xLow: log.checked ? Math.min(...ends) : 0, xHigh: Math.max(...ends), log: log.checked,
      yLow: Math.max(0, Math.min(...tops) - spare), yHigh: Math.min(100, Math.max(...tops) + spare), xLabel: label, yLabel: "top-1 accuracy, %"});
    front = drawn.filter(p => !drawn.some(o => o !== p && cost(o) <= cost(p) && top(o) >= top(p) && (cost(o) < cost(p) || top(o) > top(p))))
      .sort((a, b) => cost(a) - cost(b));
    tell();
    node("path", {class: "front", d: front.map((p, i) => i ? `H${f.x(cost(p))}V${f.y(top(p))}` : `M${f.x(cost(p))} ${f.y(top(p))}`).join("")}, f.svg);
    for (const p of drawn) {
      const stroke = color(p.model), [x, y] = [f.x(cost(p)), f.y(top(p))], [low, high] = sure(p).map(f.y);
      const [from, to] = (reach(p) || [cost(p), cost(p)]).map(f.x);
      node("path", {class: "whisker", stroke, d: `M${from} ${y}H${to}M${x} ${low}V${high}`}, f.svg);
    }
    for (const p of [...drawn].sort((a, b) => front.includes(b) - front.includes(a))) { // the larger ones lie below
      node("path", {class: `mark${picked.has(groupOf(p)) ? " chosen" : chosen.size ? " dim" : ""}`, d: SHAPES[p.format](front.includes(p) ? 7 : 5.5),
        transform: `translate(${f.x(cost(p))} ${f.y(top(p))})`, fill: color(p.model), "data-key": p.key}, f.svg);
    }
    const places = drawn.map(p => ({x: f.x(cost(p)), y: f.y(top(p))}));
    const named = front.map(p => ({x: f.x(cost(p)), y: f.y(top(p)), text: models.length > 1 ? `${p.model} ${p.variant}` : p.variant}));
    names(f, [...new Map(named.map(n => [`${n.x} ${n.y} ${n.text}`, n])).values()], places);
    addLegend(host, [...models.filter(m => drawn.some(p => p.model === m)).map(m => [swatch(color(m)), m]),
      ...Object.entries(FORMATS).filter(([name]) => drawn.some(p => p.format === name)).map(([, told]) => [null, told])]);
    brush(f, drawn, p => ({x: f.x(cost(p)), y: f.y(top(p))}));
    host.order = [...drawn].sort((a, b) => cost(a) - cost(b));
  }

  // Writes the names of the front beside its marks, wherever there is room between the marks and the other names.
  function names(f, wanted, marks) {
    const taken = marks.map(p => ({left: p.x - 6, right: p.x + 6, top: p.y - 6, bottom: p.y + 6}));
    for (const {x, y, text} of wanted) {
      const width = widthOf(text);
      const boxes = [[x + 10, y + 4], [x - width / 2, y - 11], [x - 6, y - 11], [x - width / 2, y + 20], [x - 6, y + 20], [x - 10 - width, y + 4]].map(([left, base]) =>
        ({left, base, right: left + width, top: base - 10, bottom: base + 3}));
      const free = boxes.find(b => b.left >= f.left && b.right <= f.right && b.top >= 2 && b.bottom <= f.bottom &&
        taken.every(t => b.right < t.left || b.left > t.right || b.bottom < t.top || b.top > t.bottom));
      if (!free) continue;
      node("text", {class: "name", x: free.left, y: free.base}, f.svg, text);
      taken.push(free);
    }
  }

  // Dragging over the drawing selects what lies inside. A click selects the mark whose middle is nearest, since marks cover
  // each other; where several lie there, the next click at the same place selects the next.
  let clicked = {x: NaN, y: NaN};
  function brush(f, drawn, place) {
    const at = event => {
      const box = f.svg.getBoundingClientRect(), scale = f.svg.viewBox.baseVal.width / box.width;
      return {x: (event.clientX - box.x) * scale, y: (event.clientY - box.y) * scale};
    };
    const under = event => {
      const here = at(event), away = p => Math.hypot(place(p).x - here.x, place(p).y - here.y);
      return drawn.filter(p => away(p) <= 9).sort((a, b) => away(a) - away(b));
    };
    f.svg.addEventListener("pointermove", event => {
      const found = event.buttons ? [] : under(event);
      f.svg.classList.toggle("over", found.length > 0);
      if (!found.length) return hideTip();
      const more = found.length - 1;
      showTip(text(found[0]) + (more ? `\n${more} more ${more > 1 ? "lie" : "lies"} here: click again` : ""), event);
    });
    f.svg.addEventListener("pointerleave", hideTip);
    f.svg.addEventListener("pointerdown", down => {
      const marks = under(down);
      if (down.pointerType === "touch" && !marks.length) return;
      const from = at(down), area = node("rect", {class: "brush", width: 0, height: 0}, f.svg);
      const alone = p => { const keys = together([p.key]); return keys.length === chosen.size && keys.every(k => chosen.has(k)); };
      const again = Math.hypot(clicked.x - from.x, clicked.y - from.y) < 2;
      const key = marks[again ? (marks.findIndex(alone) + 1) % marks.length : 0]?.key;
      clicked = from;
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
        if (moved) choose(together(drawn.filter(inside).map(p => p.key)));
        else choose(key ? together([key]) : []);
        if (!moved && key) reveal(key);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
    });
  }

  // Scrolls the table to a row, and leaves the page where it is: the chart stays in sight.
  function reveal(key) {
    const row = rowOf(key), around = table.parentElement;
    around.scrollTop = row.offsetTop - around.clientHeight / 2;
  }

  function choose(keys) {
    chosen = new Set(keys);
    draw();
    remember();
  }

  function tell() {
    const selected = byKey.get([...chosen][0]);
    detail.replaceChildren();
    if (!selected) return tellFront();
    detail.append(Object.assign(document.createElement("h3"), {textContent: selected.name}));
    if (chosen.size > 1) detail.append(Object.assign(document.createElement("p"), {className: "soft", textContent: `and ${chosen.size - 1} more`}));
    const list = document.createElement("dl");
    origins ||= JSON.parse(document.getElementById("origins").textContent);
    for (const [name, value] of origins[selected.key])
      list.append(Object.assign(document.createElement("dt"), {textContent: name}), Object.assign(document.createElement("dd"), {textContent: value}));
    detail.append(list);
  }

  // Where nothing is selected: what nothing beats in both, the cheapest first.
  function tellFront() {
    const key = costNow();
    const say = (name, textContent, className = "") => Object.assign(document.createElement(name), {textContent, className});
    if (!front.length) return detail.append(say("p", "Nothing is selected.", "soft"));
    detail.append(say("h3", "Nothing measured beats these in both"));
    const list = document.createElement("table"), head = document.createElement("thead"), entries = document.createElement("tbody");
    list.append(say("caption", "Choose one to see where its figures come from.", "soft"), head, entries);
    const titles = document.createElement("tr");
    for (const [n, text] of ["", COSTS[key][0].split(", ").at(-1), "top-1 %"].entries()) titles.append(Object.assign(say("th", text, n ? "figure" : ""), {scope: "col"}));
    head.append(titles);
    for (const p of front.slice(0, 12)) {
      const row = document.createElement("tr"), named = document.createElement("td"), button = Object.assign(say("button", nameOf(p)), {type: "button"});
      button.addEventListener("click", () => choose(together([p.key])));
      named.append(button);
      row.append(named, say("td", (p[key] / COSTS[key][1]).toPrecision(3), "figure"), say("td", (p.top1 * 100).toFixed(2), "figure"));
      entries.append(row);
    }
    detail.append(list);
    if (front.length > 12) detail.append(say("p", `and ${front.length - 12} more`, "soft"));
  }

  function order() {
    const [column, direction] = sort;
    headings.forEach(h => h.setAttribute("aria-sort", h.dataset.column === column ? direction : "none"));
    const heading = headings.find(h => h.dataset.column === column);
    if (!heading) return;
    addRows();
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
    document.getElementById("hidden-columns").textContent = columns
      .map((box, n) => box.checked ? "" : `#rows tr > :nth-child(${n + 1}) { display: none }`).join("");
  }

  function remember() {
    const shown = columns.filter(box => box.checked).map(box => box.value).join(" ");
    const cost = costNow();
    writeAddress({chosen: [...chosen].join(" "), cost: cost === first?.value ? "" : cost, scale,
      only: only.checked ? "1" : "", sort: sort.filter(Boolean).join(" "), columns: shown === standard ? "" : shown,
      off: boxes.filter(box => !box.checked).map(box => `${box.closest("[data-filter]").dataset.filter}=${box.value}`).join("\n")});
  }

  headings.forEach(heading => heading.querySelector("button").addEventListener("click", () => {
    sort = [heading.dataset.column, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending"];
    order();
    remember();
  }));
  for (const input of axis) input.addEventListener("change", setScale);
  log.addEventListener("change", () => { scale = log.checked ? "log" : "linear"; });
  for (const input of [...axis, log, only, ...boxes]) input.addEventListener("change", () => { draw(); remember(); });
  for (const box of columns) box.addEventListener("change", () => { showColumns(); remember(); });
  const pick = (row, event) =>
    choose(event.ctrlKey || event.metaKey ? [...chosen].filter(k => k !== row.dataset.key).concat(chosen.has(row.dataset.key) ? [] : [row.dataset.key]) : [row.dataset.key]);
  body.addEventListener("click", event => { const row = event.target.closest("tr"); if (row) pick(row, event); });
  // One row takes the focus at a time; the arrow keys go on from it.
  body.addEventListener("keydown", event => {
    addRows();
    const row = event.target.closest("tr"), all = [...body.rows].filter(r => !r.hidden), index = all.indexOf(row);
    const next = {ArrowDown: all[index + 1], ArrowUp: all[index - 1], Home: all[0], End: all.at(-1)}[event.key];
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(row, event); }
    if (!next) return;
    event.preventDefault();
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  document.getElementById("clear").addEventListener("click", () => {
    for (const box of boxes) box.checked = true;
    only.checked = false;
    choose([]);
  });
  host.addEventListener("keydown", event => {
    const all = host.order || [], step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (event.key === "Escape") { hideTip(); choose([]); current = null; return; }
    if (event.key === "Enter" && current) { choose(together([current])); reveal(current); return; }
    if (!step || !all.length) return;
    event.preventDefault();
    const index = all.findIndex(p => p.key === current);
    current = all[index < 0 ? (step > 0 ? 0 : all.length - 1) : (index + step + all.length) % all.length].key;
    const box = host.querySelector(`[data-key="${current}"]`).getBoundingClientRect();
    showTip(text(byKey.get(current)), {x: box.x + box.width, y: box.y + box.height});
  });
  host.addEventListener("blur", hideTip);
  addEventListener("resize", draw);
  addEventListener("scroll", hideTip, {passive: true});

  if (address.has("columns")) showColumns();
  order();
  draw();
  const follow = () => { addRows(Math.min(later.length, 60)); if (later.length) setTimeout(follow, 20); };
  addEventListener("load", () => setTimeout(follow, 60));
  addEventListener("beforeprint", () => addRows());
})();
