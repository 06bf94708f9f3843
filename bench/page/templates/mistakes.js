// Names the cell of a confusion that the pointer is on.
for (const figure of document.querySelectorAll(".confusion")) {
  const svg = figure.querySelector("svg"), size = svg.viewBox.baseVal.width;
  let known = null;
  svg.addEventListener("pointermove", event => {
    known ||= JSON.parse(figure.querySelector("script").textContent);
    const box = svg.getBoundingClientRect(), at = part => Math.min(size - 1, Math.max(0, Math.floor(part * size)));
    const answer = at((event.clientX - box.x) / box.width), truth = at((event.clientY - box.y) / box.height);
    const images = known.cells.find(cell => cell[0] === truth && cell[1] === answer)?.[2] || 0;
    const told = truth === answer ? "told right" : `taken for ${known.labels[answer]}`;
    showTip(`${known.labels[truth]} ${told}: ${images} image${images === 1 ? "" : "s"}`, event);
  });
  svg.addEventListener("pointerleave", hideTip);
}
