"use strict";
// Charts as SVG, from the plain values that Python wrote. Colours are the page's own variables.

const WIDE = 620;
const LETTER = 6.9;
const LINE_HEIGHT = 16;
const MARK_SIZE = 42;
const SYMBOLS = {
  circle: d3.symbolCircle,
  square: d3.symbolSquare,
  diamond: d3.symbolDiamond,
  triangle: d3.symbolTriangle,
  inverted: d3.symbolWye,
  plus: d3.symbolCross,
  star: d3.symbolStar,
  times: d3.symbolTimes,
};
const COLOURS = {
  black: "var(--ink)",
  grey: "var(--quiet)",
  pale: "var(--quiet)",
  "lighter blue": "color-mix(in srgb, var(--accent) 45%, var(--paper))",
};
const DASHES = { dashed: "6 3", "dash-dotted": "7 3 2 3", dotted: "2 2.5" };
const BLOCK = 6;

// Colours of the page; what it has no name for is its accent, and a level's own colour is itself.
function colourOf(series) {
  return series.colour.startsWith("#") ? series.colour : (COLOURS[series.colour] ?? "var(--accent)");
}

const layout = { printing: false };
const PRINTED_WIDTH = 665;
const NARROWEST = 300;

// Room for a chart: what its place has, or on paper the width of an A4 column.
function roomOf(holder) {
  return layout.printing ? PRINTED_WIDTH : Math.max(NARROWEST, holder.clientWidth);
}

function blankChart(holder, width, height, label) {
  d3.select(holder).selectChildren().remove();
  return d3
    .select(holder)
    .append("svg")
    .attr("class", "chart")
    .attr("role", "img")
    .attr("aria-label", label)
    .attr("width", width)
    .attr("height", height)
    .attr("viewBox", `0 0 ${width} ${height}`);
}

function wrapped(text, room) {
  const most = Math.max(8, Math.floor(room / LETTER));
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

function write(svg, lines, x, y, kind) {
  const text = svg.append("text").attr("class", kind).attr("x", x);
  lines.forEach((line, i) => {
    text.append("tspan").attr("x", x).attr("y", y + i * LINE_HEIGHT).text(line);
  });
  return text;
}

function tickText(value) {
  return value >= 1000 || (value !== 0 && value < 0.01) ? d3.format("~g")(value) : String(Number(value.toPrecision(4)));
}

// Rows with their headings, each with its height and where it starts.
function laidOut(lines, labelRoom, stacked) {
  const rows = [];
  let y = 26;
  let group = null;
  for (const line of lines) {
    if (line.group !== group && line.group !== "") {
      group = line.group;
      const text = wrapped(group, labelRoom * (stacked ? 1 : 2.2));
      const gap = rows.length > 0 ? (layout.printing ? 6 : 14) : 0;
      rows.push({ heading: text, y: y + gap + 6 });
      y += gap + 8 + LINE_HEIGHT * text.length;
    }
    const text = wrapped(line.label, labelRoom);
    const height = stacked ? LINE_HEIGHT * text.length + 30 : Math.max(layout.printing ? 20 : 24, LINE_HEIGHT * text.length + 4);
    rows.push({ line, text, y, height });
    y += height;
  }
  return { rows, end: y + 6 };
}

function drawIntervals(holder, chart, label, choose) {
  d3.select(holder).selectChildren().remove();
  for (const panel of chart.panels) {
    const isNamed = panel.title !== "" && chart.panels.length > 1;
    if (isNamed) d3.select(holder).append("p").attr("class", "panel-title").text(panel.title);
    const cell = d3.select(holder).append("div").node();
    drawPanelOfRows(cell, panel, isNamed ? `${label}: ${panel.title}` : label, choose(rowsOf(panel)));
  }
}

function rowsOf(panel) {
  return panel.groups.flatMap(({ heading, guide, rows }) => rows.map((row) => ({ ...row, group: heading, guide })));
}

function drawPanelOfRows(holder, panel, label, lines) {
  const width = roomOf(holder);
  const stacked = width < WIDE;
  const labelRoom = stacked ? width - 8 : Math.min(270, width * 0.32);
  const [left, right] = stacked ? [10, width - 10] : [labelRoom + 16, width - 158];
  const { rows, end } = laidOut(lines, labelRoom, stacked);
  const svg = blankChart(holder, width, end + (panel.below === "" ? 40 : 58), label);
  const scale = (panel.logarithmic ? d3.scaleLog() : d3.scaleLinear()).domain(panel.limits).range([left, right]);
  drawValueAxis(svg, panel, scale, end);
  if (panel.logarithmic) upright(svg, "null", scale(1), 18, end);
  for (const row of rows) {
    if (row.heading) write(svg, row.heading, 0, row.y + 6, "heading");
    else drawRow(svg, row, panel, scale, stacked, width);
  }
}

function upright(svg, kind, x, from, to) {
  return svg.append("line").attr("class", kind).attr("x1", x).attr("x2", x).attr("y1", from).attr("y2", to);
}

function drawValueAxis(svg, panel, scale, end) {
  const [left, right] = scale.range();
  svg.append("line").attr("class", "axis").attr("x1", left).attr("x2", right).attr("y1", end).attr("y2", end);
  let edge = -Infinity;
  for (const tick of panel.ticks) {
    const at = scale(tick);
    upright(svg, "grid", at, 18, end + 4);
    if (at - edge < 26) continue;
    edge = at;
    write(svg, [tickText(tick)], at, end + 17, "tick middle");
  }
  write(svg, [panel.label], (left + right) / 2, end + 34, "tick middle");
  if (panel.below === "") return;
  write(svg, [`← ${panel.below}`], left, end + 52, "tick");
  write(svg, [`${panel.above} →`], right, end + 52, "tick last");
}

function drawRow(svg, row, panel, scale, stacked, width) {
  const { line } = row;
  const group = svg.append("g").attr("class", "row");
  const numbers = line.cells.map((text, i) => `${panel.columns[i]} ${text}`).join("; ");
  group.append("title").text(`${line.group ? `${line.group}, ` : ""}${line.label}: ${numbers}`);
  group.append("rect").attr("class", "hit").attr("x", 0).attr("y", row.y).attr("width", width).attr("height", row.height);
  if (line.guide !== null) upright(group, "null", scale(line.guide.estimate[0]), row.y, row.y + row.height).attr("stroke-dasharray", DASHES.dotted);
  const middle = stacked ? row.y + row.height - 18 : row.y + row.height / 2;
  const first = stacked ? row.y + 12 : middle + 4.5 - ((row.text.length - 1) * LINE_HEIGHT) / 2;
  write(group, row.text, 0, first, "label");
  if (!stacked) write(group, wrapped(line.cells[panel.main] ?? "", 150), width, middle + 4.5, "number last");
  const apart = panel.apart > 0 ? 9 : 0;
  line.marks.forEach((mark, i) => drawMark(group, mark, scale, middle + apart * (i - (line.marks.length - 1) / 2)));
}

function drawMark(group, { series, estimate: [middle, lower, upper] }, scale, y) {
  const [low, high] = scale.domain();
  const colour = colourOf(series);
  const isBlock = series.width >= BLOCK;
  if (series.width > 0 && (lower !== null || upper !== null)) {
    const from = scale(Math.max(low, lower ?? low));
    const to = scale(Math.min(high, upper ?? high));
    if (to > from) {
      const line = group.append("line").attr("x1", from).attr("x2", to).attr("y1", y).attr("y2", y);
      line.attr("class", isBlock ? "block" : "whisker").attr("stroke", colour).attr("stroke-dasharray", DASHES[series.dash] ?? null);
    }
    if (!isBlock && (lower ?? low) < low) arrow(group, from, y, -1, colour);
    if (!isBlock && (upper ?? Infinity) > high) arrow(group, to, y, 1, colour);
  }
  if (series.marker === "" || middle === null || middle < low || middle > high) return;
  group
    .append("path")
    .attr("class", series.marker === "times" ? "sign cross" : "sign")
    .attr("d", d3.symbol(SYMBOLS[series.marker], MARK_SIZE)())
    .attr("transform", `translate(${scale(middle)},${y})`)
    .attr("stroke", colour)
    .attr("fill", series.hollow ? "var(--paper)" : colour);
}

function arrow(group, x, y, way, colour) {
  group.append("path").attr("d", `M${x},${y - 3.5}l${5 * way},3.5l${-5 * way},3.5z`).attr("fill", colour);
}

function legendEntry(holder, name) {
  const entry = d3.select(holder).append("li");
  const svg = entry.append("svg").attr("class", "chart key").attr("aria-hidden", "true");
  svg.attr("width", 30).attr("height", 14).attr("viewBox", "0 0 30 14");
  entry.append("span").text(name);
  return svg;
}

function drawLegend(holder, chart) {
  const scale = d3.scaleLinear().domain([0, 30]).range([0, 30]);
  for (const series of chart.legend) drawMark(legendEntry(holder, series.name), { series, estimate: [15, 2, 28] }, scale, 7);
}

function drawCurves(holder, chart, label) {
  d3.select(holder).selectChildren().remove();
  const width = roomOf(holder);
  const many = chart.panels.length > 1;
  const columns = many ? Math.min(chart.panels.length, Math.max(2, Math.floor(width / 215))) : 1;
  const each = many ? Math.floor((width - 12 * (columns - 1)) / columns) : Math.min(width, 640);
  for (const panel of chart.panels) {
    const cell = d3.select(holder).append("div").attr("class", "panel").node();
    drawPanel(cell, chart, panel, each, columns > 3 || each < 200 ? 150 : Math.min(280, 0.62 * each), panel.title === "" ? label : panel.title);
  }
}

function drawPanel(cell, chart, panel, width, height, label) {
  const named = height > 160;
  const top = panel.title === "" ? 26 : named ? 42 : 24;
  const risk = panel.at_risk.length > 0 ? LINE_HEIGHT : 0;
  const svg = blankChart(cell, width, height + risk, label);
  const x = d3.scaleLinear().domain(chart.x_limits).range([38, width - 8]);
  const y = d3.scaleLinear().domain(chart.y_limits).range([height - (named ? 40 : 22), top]);
  svg.append("title").text(label);
  if (panel.title !== "") write(svg, [shortened(panel.title, width)], 0, 12, "label");
  frame(svg, x, y, chart, named ? 6 : 3, named);
  for (const curve of panel.curves) drawCurve(svg, curve, x, y);
  if (risk > 0) drawAtRisk(svg, panel, x, named ? 6 : 3, height + 8);
}

function drawAtRisk(svg, panel, x, count, foot) {
  const numbers = new Map(panel.at_risk);
  for (const tick of x.ticks(count)) if (numbers.has(tick)) write(svg, [numbers.get(tick)], x(tick), foot, "tick middle");
  svg.append("title").text("Numbers at risk");
}

function shortened(text, room) {
  const most = Math.floor(room / LETTER);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function frame(svg, x, y, chart, count, named) {
  const [left, right] = x.range();
  const [bottom, top] = y.range();
  for (const tick of y.ticks(Math.min(count, 5))) {
    svg.append("line").attr("class", "grid").attr("x1", left).attr("x2", right).attr("y1", y(tick)).attr("y2", y(tick));
    write(svg, [chart.percent ? `${Math.round(100 * tick)}` : tickText(tick)], left - 6, y(tick) + 4, "tick last");
  }
  for (const tick of x.ticks(count)) write(svg, [tickText(tick)], x(tick), bottom + 15, "tick middle");
  svg.append("line").attr("class", "axis").attr("x1", left).attr("x2", right).attr("y1", bottom).attr("y2", bottom);
  if (!named) return;
  write(svg, [chart.percent ? `${chart.y_label}, %` : chart.y_label], 0, top - 14, "tick");
  write(svg, [chart.x_label], right, bottom + 33, "tick last");
}

function drawCurve(svg, curve, x, y) {
  const { series } = curve;
  const shape = curve.step ? d3.curveStepAfter : d3.curveMonotoneX;
  const points = curve.x.map((at, i) => [at, ...curve.estimates[i]]);
  const colour = colourOf(series);
  if (curve.filled && points.every((point) => point[2] !== null)) {
    const area = d3.area().x((point) => x(point[0])).y0((point) => y(point[2])).y1((point) => y(point[3]));
    svg.append("path").attr("class", "band").attr("d", area.curve(shape)(points)).attr("fill", colour);
  }
  const line = d3.line().x((point) => x(point[0])).y((point) => y(point[1])).curve(shape);
  const path = svg.append("path").attr("class", "curve").attr("d", line(points)).attr("stroke", colour);
  path.attr("stroke-width", series.width).attr("stroke-dasharray", DASHES[series.dash] ?? null).append("title").text(series.name);
}
