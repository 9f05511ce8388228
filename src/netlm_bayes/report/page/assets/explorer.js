"use strict";
// The explorer: what was chosen in the form, drawn and explained.

const PROBABILITY_BINS = 60;
const NAMES = ["A", "B"];
const NAME_HEIGHT = 17;

function isComparing() {
  return control("compare").checked;
}

function update() {
  const which = isComparing() ? [0, 1] : [0];
  explorer.predictions = which.map(predict);
  control("explorer").classList.toggle("single", !isComparing());
  fillResults();
  drawExplorer();
  tellReading();
}

function fillResults() {
  const [a, b] = explorer.predictions;
  const body = control("results").tBodies[0];
  body.replaceChildren(
    ...a.quantities.map((row, i) => {
      const cells = [row.label];
      const other = b?.quantities.find((one) => one.id === row.id);
      cells.push(written(interval(row.draws, row.model.level), row.kind));
      if (b !== undefined) {
        cells.push(other === undefined ? "" : written(interval(other.draws, row.model.level), row.kind));
        cells.push(other === undefined ? "" : difference(row, other));
      }
      return tableRow(cells, `${row.id}-${i}`);
    }),
  );
  const others = [...new Set(a.quantities.filter((row) => row.run !== "").map((row) => row.label))];
  const notes = explorer.predictions.map((found) => note(NAMES[found.which], `${profileText(found)}: ${cautions(found).join("; ")}.`));
  if (others.length > 0) notes.push(note("", `${others.join(", ")}: from the run ${explorer.models[1].run} of the same reanalysis.`));
  control("explained").replaceChildren(...notes);
}

function note(name, text) {
  const item = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = name === "" ? "" : `${name} `;
  item.append(strong, text);
  return item;
}

// An estimate and its interval are one text; on a narrow page the interval goes below.
function tableRow(cells, id) {
  const row = document.createElement("tr");
  row.dataset.quantity = id;
  cells.forEach((text, i) => {
    const cell = document.createElement(i === 0 ? "th" : "td");
    if (i === 0) {
      cell.scope = "row";
      cell.textContent = text;
    } else {
      const [estimate, rest] = text.split(" (");
      cell.append(estimate);
      if (rest !== undefined) {
        const span = document.createElement("span");
        span.textContent = ` (${rest}`;
        cell.append(span);
      }
    }
    row.append(cell);
  });
  return row;
}

// B less A, draw by draw; medians that are never reached have no difference.
function difference(a, b) {
  const draws = a.draws.map((value, d) => b.draws[d] - value);
  const found = interval(draws, a.model.level);
  if (!Number.isFinite(found.estimate)) return "";
  const signed = (text) => (Number(text) > 0 || text === "∞" ? `+${text}` : text.replace("-", "−"));
  return written(found, a.kind === "time" ? "difference in times" : "difference in shares", signed);
}

function shownEventFree() {
  return eventFree(explorer.predictions[0].kind);
}

function chartLabel() {
  const isSurvival = explorer.models[0].outcome === "survival";
  const what = isSurvival ? `Probability of being ${shownEventFree()}` : "Probability of response";
  return `${what}: ${explorer.predictions.map((one) => `${NAMES[one.which]}, ${profileText(one)}`).join("; ")}`;
}

function drawExplorer() {
  const holder = control("curve");
  const width = roomOf(holder);
  const height = Math.round(Math.min(420, Math.max(260, width * 0.55)));
  const svg = blankChart(holder, width, height, chartLabel());
  if (explorer.models[0].outcome === "survival") drawSurvival(svg, width, height);
  else drawProbability(svg, width, height);
}

function drawSurvival(svg, width, height) {
  const { unit, last, step } = explorer.times;
  const x = d3.scaleLinear().domain([0, last]).range([42, width - 26]);
  const y = d3.scaleLinear().domain([0, 1]).range([height - 42, 28]);
  frame(svg, x, y, { percent: true, y_label: shownEventFree(), x_label: unit }, 6, true);
  for (const found of [...explorer.predictions].reverse()) drawPrediction(svg, found, x, y);
  explorer.scales = { x, y };
  svg.append("line").attr("class", "cursor").attr("y1", y(1)).attr("y2", y(0));
  svg.on("pointermove", (event) => {
    const [at] = d3.pointer(event);
    readAt(roundedTo(step, Math.min(last, Math.max(0, x.invert(at)))));
  });
}

function drawPrediction(svg, found, x, y) {
  const isFirst = found.which === 0;
  const colour = isFirst ? "var(--accent)" : "var(--ink)";
  const area = d3.area().x((one) => x(one.time)).y0((one) => y(one.lower)).y1((one) => y(one.upper));
  const line = d3.line().x((one) => x(one.time)).y((one) => y(one.estimate));
  svg.append("path").attr("class", "band").attr("fill", colour).attr("d", area.curve(d3.curveMonotoneX)(found.curve));
  const path = svg.append("path").attr("class", "curve").attr("d", line.curve(d3.curveMonotoneX)(found.curve));
  path.attr("stroke", colour).attr("stroke-width", 2.4).attr("stroke-dasharray", isFirst ? null : "7 4");
  write(svg, [NAMES[found.which]], x(explorer.times.last) + 7, nameHeights(y)[found.which] + 5, "name").style("fill", colour);
}

// Where the curves' names stand: at their ends, and not on each other.
function nameHeights(y) {
  const ends = explorer.predictions.map((one) => y(one.curve[one.curve.length - 1].estimate));
  if (ends.length < 2 || Math.abs(ends[0] - ends[1]) >= NAME_HEIGHT) return ends;
  const [middle, half] = [(ends[0] + ends[1]) / 2, NAME_HEIGHT / 2];
  return ends[0] <= ends[1] ? [middle - half, middle + half] : [middle + half, middle - half];
}

function drawProbability(svg, width, height) {
  const bins = explorer.predictions.map((found) => histogram(found.quantities[0].draws));
  const top = d3.max(bins.flat(), (one) => one.density);
  const x = d3.scaleLinear().domain([0, 1]).range([20, width - 20]);
  const y = d3.scaleLinear().domain([0, 1.08 * top]).range([height - 40, 12]);
  for (const tick of x.ticks(6)) write(svg, [String(Math.round(100 * tick))], x(tick), height - 25, "tick middle");
  write(svg, ["probability of response, %"], width - 20, height - 8, "tick last");
  svg.append("line").attr("class", "axis").attr("x1", x(0)).attr("x2", x(1)).attr("y1", y(0)).attr("y2", y(0));
  for (const found of [...explorer.predictions].reverse()) {
    const colour = found.which === 0 ? "var(--accent)" : "var(--ink)";
    const own = bins[found.which];
    const area = d3.area().x((one) => x(one.middle)).y0(y(0)).y1((one) => y(one.density)).curve(d3.curveBasis);
    const line = d3.line().x((one) => x(one.middle)).y((one) => y(one.density)).curve(d3.curveBasis);
    svg.append("path").attr("class", "band").attr("fill", colour).attr("d", area(own));
    const path = svg.append("path").attr("class", "curve").attr("d", line(own)).attr("stroke", colour);
    path.attr("stroke-width", 2.2).attr("stroke-dasharray", found.which === 0 ? null : "7 4");
    const peak = own[d3.maxIndex(own, (one) => one.density)];
    write(svg, [NAMES[found.which]], x(peak.middle), y(peak.density) - 6, "name middle").style("fill", colour);
  }
}

function histogram(draws) {
  const counts = new Array(PROBABILITY_BINS).fill(0);
  for (const value of draws) counts[Math.min(PROBABILITY_BINS - 1, Math.floor(value * PROBABILITY_BINS))] += 1;
  return counts.map((count, i) => ({
    middle: (i + 0.5) / PROBABILITY_BINS,
    density: (count * PROBABILITY_BINS) / draws.length,
  }));
}

function roundedTo(step, value) {
  return Number((Math.round(value / step) * step).toPrecision(6));
}

function readAt(value) {
  if (value === explorer.reading) return;
  explorer.reading = value;
  control("reading").value = String(value);
  tellReading();
}

// The value under the pointer, or where the slider stands.
function tellReading() {
  if (explorer.models[0].outcome !== "survival") return;
  const at = explorer.reading;
  const texts = explorer.predictions.map((found) => {
    const value = interval(survivalIn(found.kind, at), found.kind.model.level);
    return `${NAMES[found.which]} ${written(value, "share")}`;
  });
  control("reading-text").textContent = `${capitalised(shownEventFree())} at ${withUnit(at)}: ${texts.join(" · ")}`;
  control("reading").setAttribute("aria-valuetext", control("reading-text").textContent);
  const { x } = explorer.scales;
  d3.select("#curve .cursor").attr("x1", x(at)).attr("x2", x(at));
}

function timeCells(time) {
  return time === null ? ["", ""] : [time, explorer.times.unit];
}

function predictionRows() {
  const header = ["profile", "population", "quantity", "time", "time_unit", "estimate", "lower", "upper", "level", "run"];
  const rows = explorer.predictions.flatMap((found) => {
    const { model } = found.kind;
    const who = [NAMES[found.which], profileText(found)];
    const rest = (value, run) => [value.estimate, value.lower, value.upper, model.level, run || model.run];
    return [
      ...found.quantities.map((row) => [...who, row.label, ...timeCells(row.at), ...rest(interval(row.draws, row.model.level), row.run)]),
      ...found.curve.map((one) => [...who, eventFree(found.kind), ...timeCells(one.time), ...rest(one, "")]),
    ];
  });
  return [header, ...rows];
}

function startExplorer(data) {
  explorer.models = data.models.map(readModel);
  explorer.times = data.times;
  explorer.reading = data.times?.start ?? null;
  for (const kind of [KINDS.time, KINDS["difference in times"]]) kind.decimals = data.times?.decimals ?? kind.decimals;
  control("choices").addEventListener("input", update);
  control("choices").addEventListener("submit", (event) => event.preventDefault());
  control("reading")?.addEventListener("input", (event) => readAt(Number(event.target.value)));
  update();
}
