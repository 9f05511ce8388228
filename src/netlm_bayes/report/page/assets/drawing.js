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
  cross: d3.symbolTimes,
};
const LOOKS = {
  accent: { stroke: "var(--accent)", width: 2, dash: null },
  ink: { stroke: "var(--ink)", width: 1.6, dash: null },
  quiet: { stroke: "var(--quiet)", width: 1.1, dash: null },
};

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

function drawIntervals(holder, chart, label, lines) {
  const width = roomOf(holder);
  const stacked = width < WIDE;
  const labelRoom = stacked ? width - 8 : Math.min(270, width * 0.32);
  const [left, right] = stacked ? [10, width - 10] : [labelRoom + 16, width - 158];
  const { rows, end } = laidOut(lines, labelRoom, stacked);
  const svg = blankChart(holder, width, end + (chart.below === "" ? 40 : 58), label);
  const scale = (chart.logarithmic ? d3.scaleLog() : d3.scaleLinear()).domain(chart.limits).range([left, right]);
  drawValueAxis(svg, chart, scale, end);
  if (chart.reference !== null) {
    const at = scale(chart.reference);
    svg.append("line").attr("class", "null").attr("x1", at).attr("x2", at).attr("y1", 18).attr("y2", end);
  }
  for (const row of rows) {
    if (row.heading) write(svg, row.heading, 0, row.y + 6, "heading");
    else drawRow(svg, row, chart, scale, stacked, width);
  }
}

function drawValueAxis(svg, chart, scale, end) {
  const [left, right] = scale.range();
  svg.append("line").attr("class", "axis").attr("x1", left).attr("x2", right).attr("y1", end).attr("y2", end);
  let edge = -Infinity;
  for (const tick of chart.ticks) {
    const at = scale(tick);
    svg.append("line").attr("class", "grid").attr("x1", at).attr("x2", at).attr("y1", 18).attr("y2", end + 4);
    if (at - edge < 26) continue;
    edge = at;
    write(svg, [tickText(tick)], at, end + 17, "tick middle");
  }
  write(svg, [chart.axis], (left + right) / 2, end + 34, "tick middle");
  if (chart.below === "") return;
  write(svg, [`← ${chart.below}`], left, end + 52, "tick");
  write(svg, [`${chart.above} →`], right, end + 52, "tick last");
}

function drawRow(svg, row, chart, scale, stacked, width) {
  const group = svg.append("g").attr("class", "row");
  const told = row.line.marks.map((mark) => `${chart.series[mark.series].name} ${mark.text}`).join("; ");
  group.append("title").text(`${row.line.group ? `${row.line.group}, ` : ""}${row.line.label}: ${told}`);
  group.append("rect").attr("class", "hit").attr("x", 0).attr("y", row.y).attr("width", width).attr("height", row.height);
  const middle = stacked ? row.y + row.height - 18 : row.y + row.height / 2;
  const first = stacked ? row.y + 12 : middle + 4.5 - ((row.text.length - 1) * LINE_HEIGHT) / 2;
  write(group, row.text, 0, first, "label");
  if (!stacked) write(group, wrapped(row.line.text, 150), width, middle + 4.5, "number last");
  const wide = row.line.marks.some((mark) => ["band", "bar"].includes(chart.series[mark.series].marker));
  const apart = wide || row.line.marks.length < 2 ? 0 : 9;
  row.line.marks.forEach((mark, i) => {
    drawMark(group, mark, chart.series[mark.series], scale, middle + apart * (i - (row.line.marks.length - 1) / 2));
  });
}

function drawMark(group, mark, series, scale, y) {
  const [low, high] = scale.domain();
  const colour = series.accent ? "var(--accent)" : "var(--ink)";
  const isBlock = series.marker === "band" || series.marker === "bar";
  const hasEnds = mark.lower !== null || mark.upper !== null;
  if (hasEnds) {
    const from = scale(Math.max(low, mark.lower ?? low));
    const to = scale(Math.min(high, mark.upper ?? high));
    if (to > from) {
      const line = group.append("line").attr("x1", from).attr("x2", to).attr("y1", y).attr("y2", y);
      line.attr("class", isBlock ? "block" : "whisker").attr("stroke", isBlock && !series.accent ? "var(--quiet)" : colour);
    }
    if (!isBlock && (mark.lower ?? low) < low) arrow(group, from, y, -1, colour);
    if (!isBlock && (mark.upper ?? Infinity) > high) arrow(group, to, y, 1, colour);
  }
  if (isBlock || mark.estimate === null || mark.estimate < low || mark.estimate > high) return;
  group
    .append("path")
    .attr("class", series.marker === "cross" ? "sign cross" : "sign")
    .attr("d", d3.symbol(SYMBOLS[series.marker], MARK_SIZE)())
    .attr("transform", `translate(${scale(mark.estimate)},${y})`)
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
  if (chart.kind === "panels") {
    drawCurveLegend(holder, chart.panels[0].curves);
    return;
  }
  const scale = d3.scaleLinear().domain([0, 30]).range([0, 30]);
  chart.series.forEach((series, i) => {
    if (!chart.lines.some((line) => line.marks.some((mark) => mark.series === i))) return;
    drawMark(legendEntry(holder, series.name), { estimate: 15, lower: 2, upper: 28 }, series, scale, 7);
  });
}

// Curves that look alike, such as chains, are named by the chart's summary.
function drawCurveLegend(holder, curves) {
  if (new Set(curves.map((curve) => curve.look)).size < curves.length) return;
  for (const curve of curves) {
    const look = LOOKS[curve.look];
    const line = legendEntry(holder, curve.name).append("line").attr("x1", 1).attr("x2", 29).attr("y1", 7).attr("y2", 7);
    line.attr("stroke", look.stroke).attr("stroke-width", look.width);
  }
}

function drawPanels(holder, chart, label) {
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
  const svg = blankChart(cell, width, height, label);
  const named = height > 160;
  const top = panel.title === "" ? 26 : named ? 42 : 24;
  const x = d3.scaleLinear().domain(chart.x_limits).range([38, width - 8]);
  const y = d3.scaleLinear().domain(chart.y_limits).range([height - (named ? 40 : 22), top]);
  svg.append("title").text(label);
  if (panel.title !== "") write(svg, [shortened(panel.title, width)], 0, 12, "label");
  frame(svg, x, y, chart, named ? 6 : 3, named);
  for (const curve of panel.curves) drawCurve(svg, curve, x, y);
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
  write(svg, [chart.percent ? `${chart.y_axis}, %` : chart.y_axis], 0, top - 14, "tick");
  write(svg, [chart.x_axis], right, bottom + 33, "tick last");
}

function drawCurve(svg, curve, x, y) {
  const look = LOOKS[curve.look];
  const shape = curve.step ? d3.curveStepAfter : d3.curveMonotoneX;
  const points = d3.range(curve.x.length);
  if (curve.lower.length > 0) {
    const area = d3.area(points).x((i) => x(curve.x[i])).y0((i) => y(curve.lower[i])).y1((i) => y(curve.upper[i]));
    svg.append("path").attr("class", "band").attr("d", area.curve(shape)(points)).attr("fill", look.stroke);
  }
  const line = d3.line().x((i) => x(curve.x[i])).y((i) => y(curve.y[i])).curve(shape);
  const path = svg.append("path").attr("class", "curve").attr("d", line(points)).attr("stroke", look.stroke);
  path.attr("stroke-width", look.width).append("title").text(curve.name);
}
