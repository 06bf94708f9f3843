// The training curves: one line a run, in the color of its model; the value and the axis are chosen by the reader.
(() => {
  const data = document.getElementById("curves-data");
  if (!data) return;
  const runs = JSON.parse(data.textContent), host = document.getElementById("curves");
  // Runs of one model differ by their dashes.
  const DASHES = ["none", "8 3", "2 3", "8 3 2 3", "14 4", "8 3 2 3 2 3"];
  const dashes = run => DASHES[runs.filter(other => other.model === run.model).indexOf(run) % DASHES.length];
  const LABELS = {val_accuracy: "validation top-1, %", val_loss: "validation loss", train_loss: "training loss", lr: "learning rate"};
  const picked = name => document.querySelector(`input[name=${name}]:checked`).value;

  function draw() {
    const value = picked("curve-value"), along = picked("curve-along"), hours = along === "seconds";
    const longest = Math.max(...runs.flatMap(run => run.epochs.map(e => e.seconds)));
    const [unit, word] = !hours ? [1, "epoch"] : longest > 5400 ? [3600, "hours"] : [60, "minutes"];
    const x = e => e[along] / unit, all = runs.flatMap(run => run.epochs);
    const f = frame(host, {xLow: 0, xHigh: Math.max(...all.map(x)), yLow: Math.min(0, ...all.map(e => e[value])),
      yHigh: Math.max(...all.map(e => e[value])), xLabel: word, yLabel: LABELS[value]});
    const drawn = runs.map(run => {
      const stroke = color(run.model), line = {stroke, "stroke-dasharray": dashes(run)}, curve = node("g", {}, f.svg);
      node("path", {class: "curve", ...line, d: run.epochs.map((e, i) => `${i ? "L" : "M"}${f.x(x(e))} ${f.y(e[value])}`).join("")}, curve);
      for (const e of run.epochs) {
        const mark = node("circle", {cx: f.x(x(e)), cy: f.y(e[value]), r: run.epochs.length > 40 ? 2 : 3.5, fill: stroke}, curve);
        mark.addEventListener("pointerenter", event => showTip(
          `${run.name}, epoch ${e.epoch}\n${e.val_accuracy.toFixed(2)} % validation top-1\nlosses ${e.train_loss.toFixed(3)} (training), ${e.val_loss.toFixed(3)} (validation)`, event));
        mark.addEventListener("pointerleave", hideTip);
      }
      return {curve, line};
    });
    const entries = addLegend(host, runs.map((run, i) => [lineSample(drawn[i].line), run.name]));
    // Over a curve or its name the others step back.
    drawn.forEach(({curve}, i) => {
      const alone = on => drawn.forEach((other, k) => other.curve.classList.toggle("dim", on && k !== i));
      for (const part of [curve, entries[i]]) {
        part.addEventListener("pointerenter", () => alone(true));
        part.addEventListener("pointerleave", () => alone(false));
      }
    });
  }
  for (const input of document.querySelectorAll("#curve-value input, #curve-along input")) input.addEventListener("change", draw);
  addEventListener("resize", draw);
  draw();
})();
