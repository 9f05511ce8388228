"use strict";
// The page comes alive: figures drawn when near, sorted and chosen, and everything downloadable.

const NEAR = "600px";
const PNG_SCALE = 2;
const FORMULA = /^[=+\-@\t\r]/;
const INKED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];

function embedded(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

const figures = embedded("figures");

// Rows of one cohort, or in another order; sorted, each names its group.
function chooser(figure) {
  const who = figure.querySelector("[data-who]")?.value ?? "";
  const key = figure.querySelector("[data-sort]")?.value ?? "";
  return (rows) => {
    const chosen = rows.filter((row) => who === "" || row.who === who);
    if (key === "") return chosen;
    const flat = chosen.map((row) => ({ ...row, group: "", label: row.group === "" ? row.label : `${row.group}, ${row.label}` }));
    return flat.sort((a, b) => d3.descending(a.keys[key] ?? -Infinity, b.keys[key] ?? -Infinity));
  };
}

function drawFigure(figure) {
  const chart = figures[figure.id];
  const holder = figure.querySelector(".drawing");
  const label = figure.querySelector("figcaption").textContent.trim();
  figure.dataset.width = String(holder.clientWidth);
  if (chart.kind === "curves") drawCurves(holder, chart, label);
  else drawIntervals(holder, chart, label, chooser(figure));
}

function startFigure(figure, observer) {
  drawLegend(figure.querySelector(".legend"), figures[figure.id]);
  for (const choice of figure.querySelectorAll("[data-who], [data-sort]")) {
    choice.addEventListener("change", () => drawFigure(figure));
  }
  observer.observe(figure);
}

function allFigures() {
  return [...document.querySelectorAll("figure[data-chart]")];
}

function redraw() {
  for (const figure of allFigures()) drawFigure(figure);
  if (explorer.models.length === 0) return;
  drawExplorer();
  tellReading();
}

function redrawAtNewWidth() {
  if (layout.printing) return;
  for (const figure of allFigures()) {
    const { width } = figure.dataset;
    if (width !== undefined && Number(width) !== figure.querySelector(".drawing").clientWidth) drawFigure(figure);
  }
  if (explorer.models.length === 0) return;
  drawExplorer();
  tellReading();
}

function drawForPaper(isPrinting) {
  layout.printing = isPrinting;
  redraw();
}

// A cell that a spreadsheet would run as a formula is led by an apostrophe.
function csvCell(value) {
  const text = String(value);
  const safe = typeof value !== "number" && FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csv(rows) {
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\n")}\n`;
}

function tableRows(table) {
  return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
}

function save(name, address) {
  const link = document.createElement("a");
  link.download = name;
  link.href = address;
  link.click();
}

function saveText(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  save(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A chart apart from its page: colours and type written into every element.
function standalone(svg) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg, copy].map((one) => [one, ...one.querySelectorAll("*")]);
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of INKED) to[i].setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

async function pngOf(holder) {
  const charts = [...holder.querySelectorAll("svg.chart")];
  const frameOf = holder.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = PNG_SCALE * frameOf.width;
  canvas.height = PNG_SCALE * frameOf.height;
  const context = canvas.getContext("2d");
  context.scale(PNG_SCALE, PNG_SCALE);
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, frameOf.width, frameOf.height);
  for (const svg of charts) {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
    await image.decode();
    const place = svg.getBoundingClientRect();
    context.drawImage(image, place.left - frameOf.left, place.top - frameOf.top, place.width, place.height);
  }
  return canvas.toDataURL("image/png");
}

function startDownloads() {
  document.body.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-save]");
    if (button === null) return;
    const { save: kind, of, name } = button.dataset;
    const target = document.getElementById(of);
    if (kind === "png") save(`${name}.png`, await pngOf(target));
    else if (kind === "text") saveText(name, target.textContent);
    else if (kind === "explorer") saveText(`${name}.csv`, csv(predictionRows()));
    else saveText(`${name}.csv`, csv(tableRows(target)));
  });
}

function start() {
  document.documentElement.classList.add("alive");
  startDownloads();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        if (target.dataset.width === undefined) drawFigure(target);
      }
    },
    { rootMargin: NEAR },
  );
  for (const figure of allFigures()) startFigure(figure, observer);
  addEventListener("beforeprint", () => drawForPaper(true));
  addEventListener("afterprint", () => drawForPaper(false));
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redrawAtNewWidth, 120);
  });
}

start();
// The answer is there to be read before anything is computed.
requestAnimationFrame(() => {
  setTimeout(() => {
    if (document.getElementById("draws") !== null) startExplorer(embedded("draws"));
    document.documentElement.dataset.started = String(Math.round(performance.now()));
  });
});
