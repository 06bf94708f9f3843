// The training curves: one line a run, the value and the axis chosen by the reader.
(() => {
  const data = document.getElementById("curves-data");
  if (!data) return;
  const runs = JSON.parse(data.textContent), names = runs.map(run => run.name), host = document.getElementById("curves");
  const LABELS = {val_accuracy: "validation top-1, %", val_loss: "validation loss", train_loss: "training loss", lr: "learning rate"};
  const picked = name => document.querySelector(`input[name=${name}]:checked`).value;

  function draw() {
    const value = picked("curve-value"), along = picked("curve-along"), hours = along === "seconds";
    const longest = Math.max(...runs.flatMap(run => run.epochs.map(e => e.seconds)));
    const [unit, word] = !hours ? [1, "epoch"] : longest > 5400 ? [3600, "hours"] : [60, "minutes"];
    const x = e => e[along] / unit, all = runs.flatMap(run => run.epochs);
    const f = frame(host, {xLow: 0, xHigh: Math.max(...all.map(x)), yLow: Math.min(0, ...all.map(e => e[value])),
      yHigh: Math.max(...all.map(e => e[value])), xLabel: word, yLabel: LABELS[value]});
    runs.forEach(run => {
      const stroke = color(names, run.name);
      node("path", {class: "curve", stroke, d: run.epochs.map((e, i) => `${i ? "L" : "M"}${f.x(x(e))} ${f.y(e[value])}`).join("")}, f.svg);
      for (const e of run.epochs) {
        const mark = node("circle", {cx: f.x(x(e)), cy: f.y(e[value]), r: run.epochs.length > 40 ? 2 : 3.5, fill: stroke}, f.svg);
        mark.addEventListener("pointerenter", event => showTip(
          `${run.name}, epoch ${e.epoch}\n${e.val_accuracy.toFixed(2)} % validation top-1\nlosses ${e.train_loss.toFixed(3)} (training), ${e.val_loss.toFixed(3)} (validation)`, event));
        mark.addEventListener("pointerleave", hideTip);
      }
    });
    addLegend(host, runs.map(run => [color(names, run.name), run.name]));
  }
  for (const input of document.querySelectorAll("#curve-value input, #curve-along input")) input.addEventListener("change", draw);
  addEventListener("resize", draw);
  draw();
})();
