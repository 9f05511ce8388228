"use strict";
// What `posterior.profile` computes, draw by draw: S(t | x) averaged over what is not known of x.
// Months, log hazards and log odds throughout; arrays over draws are Float64Array.

const STEPS = [-2, -1, 0, 1, 2];
const ANCHOR_MONTHS = 12;
const LOG_LOG_2 = Math.log(Math.log(2));
const TOLERANCE = 1e-10;
const REACH = 2;
const HARDLY_ANYBODY = 1e-9;

function unpacked(packed) {
  if (packed === null) return null;
  const text = atob(packed.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return { columns: packed.shape[1], values: new Float32Array(bytes.buffer) };
}

function readModel(model) {
  for (const population of model.populations) {
    population.baseline = unpacked(population.baseline);
    population.effect = unpacked(population.effect);
    population.late = unpacked(population.late);
    population.late_level = unpacked(population.late_level);
  }
  model.offsets = unpacked(model.offsets);
  if (model.tilt !== null) {
    const [, borrowing, covariates] = model.tilt.shape;
    model.tilt = { ...unpacked({ ...model.tilt, shape: [0, borrowing * covariates] }), covariates };
  }
  model.grid = gridOf(model);
  return model;
}

// Every pattern: levels of covariates, then steps of continuous ones; the last turns fastest.
function gridOf(model) {
  let cells = [[]];
  for (const covariate of model.covariates) {
    const places = covariate.scale === null ? covariate.levels.length : STEPS.length;
    cells = cells.flatMap((cell) => Array.from({ length: places }, (_, place) => [...cell, place]));
  }
  return cells;
}

// Patterns within a profile, each with its cells of the grid and its covariates' values.
function patternsWithin(model, profile) {
  const found = new Map();
  model.grid.forEach((cell, index) => {
    const inside = model.covariates.every(
      (covariate, j) => !(covariate.name in profile.levels) || profile.levels[covariate.name] === cell[j],
    );
    if (!inside) return;
    const values = model.covariates.map((covariate, j) => {
      if (covariate.scale === null) return cell[j];
      const given = profile.numbers[covariate.name];
      return given === undefined ? STEPS[cell[j]] : (given - covariate.scale.mean) / covariate.scale.sd;
    });
    const key = values.join(" ");
    if (!found.has(key)) found.set(key, { values, cells: [] });
    found.get(key).cells.push(index);
  });
  return [...found.values()];
}

function terms(model, pattern) {
  return model.effects
    .map(([covariate, level], k) => {
      const value = pattern.values[covariate];
      return [k, level < 0 ? value : Number(value === level)];
    })
    .filter(([, value]) => value !== 0);
}

function linear(model, effect, patterns) {
  const count = patterns.length;
  const { values, columns } = effect;
  const out = new Float64Array(model.draws * count);
  patterns.forEach((pattern, p) => {
    for (const [k, value] of terms(model, pattern)) {
      for (let d = 0; d < model.draws; d += 1) out[d * count + p] += value * values[d * columns + k];
    }
  });
  return out;
}

// Place of each borrowing cohort among those that borrow.
function borrowingPlace(model, cohort) {
  return model.cohorts.filter((one) => one.borrowed.some((sd) => sd > 0)).indexOf(cohort);
}

// Log of the factor by which borrowed margins move a cell, per standard normal tilt.
function moves(model, cohort, cell) {
  return cohort.borrowed.map((sd, j) => (sd * cell[j]) / (model.covariates[j].levels.length - 1));
}

// Factor by which borrowed margins move a cell, by draw.
function tilts(model, cohort, cell) {
  const move = moves(model, cohort, cell);
  const { values, columns, covariates } = model.tilt;
  const first = borrowingPlace(model, cohort) * covariates;
  const out = new Float64Array(model.draws);
  for (let d = 0, start = first; d < model.draws; d += 1, start += columns) {
    let log = 0;
    for (let j = 0; j < covariates; j += 1) log += move[j] * values[start + j];
    out[d] = Math.exp(log);
  }
  return out;
}

function isBorrowing(cohort) {
  return cohort.borrowed.some((sd) => sd > 0);
}

// Whole population's weight, by draw, of a cohort whose margins are borrowed: once for all profiles.
function totalWeight(model, cohort) {
  if (cohort.total === undefined) {
    cohort.total = new Float64Array(model.draws);
    model.grid.forEach((cell, index) => {
      if (cohort.joint[index] < HARDLY_ANYBODY) return;
      const factor = tilts(model, cohort, cell);
      for (let d = 0; d < model.draws; d += 1) cohort.total[d] += cohort.joint[index] * factor[d];
    });
  }
  return cohort.total;
}

// Shares of patterns within a population; (draws, patterns), each draw summing to 1.
function weightsOf(model, population, patterns) {
  const whose = model.cohorts.filter((cohort) => population.of_no_cohort || cohort.id === population.id);
  const everyone = whose.reduce((sum, cohort) => sum + cohort.n, 0);
  const count = patterns.length;
  const out = new Float64Array(model.draws * count);
  if (count === 1) return out.fill(1);
  for (const cohort of whose) {
    const total = isBorrowing(cohort) ? totalWeight(model, cohort) : null;
    patterns.forEach((pattern, p) => {
      const share = (cohort.n / everyone) * d3.sum(pattern.cells, (cell) => cohort.joint[cell]);
      const factor = total === null ? null : tilts(model, cohort, pattern.values);
      for (let d = 0, i = p; d < model.draws; d += 1, i += count) {
        out[i] += total === null ? share : (share * factor[d]) / total[d];
      }
    });
  }
  return normalised(out, count);
}

function normalised(weights, count) {
  for (let start = 0; start < weights.length; start += count) {
    let total = 0;
    for (let p = 0; p < count; p += 1) total += weights[start + p];
    for (let p = 0; p < count; p += 1) weights[start + p] /= total;
  }
  return weights;
}

// One kind of patient in one population: all that its curve is made of.
function kindOf(model, population, profile, endpoint) {
  const patterns = patternsWithin(model, profile);
  const early = linear(model, population.effect, patterns);
  const late = population.late === null ? null : linear(model, population.late, patterns);
  // The average patient's hazard stays when effects change: the reference profile's does not.
  if (late !== null) {
    const { values } = population.late_level;
    for (let i = 0; i < late.length; i += 1) late[i] += values[Math.floor(i / patterns.length)];
  }
  return {
    model,
    population,
    endpoint,
    count: patterns.length,
    logRatio: early,
    ratio: early.map(Math.exp),
    lateLogRatio: late,
    lateRatio: late === null ? null : late.map(Math.exp),
    weights: weightsOf(model, population, patterns),
  };
}

function offset(kind, d) {
  return kind.endpoint === 0 ? 0 : kind.model.offsets.values[d * kind.model.offsets.columns + kind.endpoint - 1];
}

// Cumulative hazard of the reference profile at some months, by draw.
function baselineHazard(kind, months) {
  const { model, population } = kind;
  const { values, columns } = population.baseline;
  const out = new Float64Array(model.draws);
  const starts = [0, ...model.cuts];
  for (let d = 0; d < model.draws; d += 1) {
    if (model.baseline === "weibull") {
      const log = values[d * columns] + values[d * columns + 1] * Math.log(months / ANCHOR_MONTHS);
      out[d] = Math.exp(log + offset(kind, d));
      continue;
    }
    for (let j = 0; j < columns && starts[j] < months; j += 1) {
      const stop = j + 1 < columns ? Math.min(months, starts[j + 1]) : months;
      out[d] += Math.exp(values[d * columns + j] + offset(kind, d)) * (stop - starts[j]);
    }
  }
  return out;
}

// Months at which one draw of the reference profile reaches a cumulative hazard.
function monthsAt(kind, hazard, d) {
  const { model, population } = kind;
  const { values, columns } = population.baseline;
  if (model.baseline === "weibull") {
    const log = Math.log(hazard) - values[d * columns] - offset(kind, d);
    return ANCHOR_MONTHS * Math.exp(log / values[d * columns + 1]);
  }
  const starts = [0, ...model.cuts];
  let left = hazard;
  for (let j = 0; j < columns; j += 1) {
    const rate = Math.exp(values[d * columns + j] + offset(kind, d));
    const width = j + 1 < columns ? starts[j + 1] - starts[j] : Infinity;
    if (left <= rate * width) return starts[j] + left / rate;
    left -= rate * width;
  }
  return Infinity;
}

// S(t) by draw; after a change of effects, what is added to the hazard has the later ratios.
function survivalAt(kind, months) {
  const { model, count, weights, ratio, lateRatio } = kind;
  const out = new Float64Array(model.draws);
  if (months <= 0) return out.fill(1);
  const turned = lateRatio !== null && months > model.change;
  const before = baselineHazard(kind, turned ? model.change : months);
  const until = turned ? baselineHazard(kind, months) : before;
  for (let d = 0; d < model.draws; d += 1) {
    for (let p = 0, i = d * count; p < count; p += 1, i += 1) {
      const hazard = before[d] * ratio[i] + (turned ? (until[d] - before[d]) * lateRatio[i] : 0);
      out[d] += weights[i] * Math.exp(-hazard);
    }
  }
  return out;
}

// Log reference hazard at which a mixed population has a survival: Newton within its bracket.
function logHazardAt(logRatio, weights, start, count, survival) {
  const target = survival === 0.5 ? LOG_LOG_2 : Math.log(-Math.log(survival));
  if (count === 1) return target - logRatio[start];
  let [low, high, mean, square] = [Infinity, -Infinity, 0, 0];
  for (let i = start; i < start + count; i += 1) {
    low = Math.min(low, target - logRatio[i]);
    high = Math.max(high, target - logRatio[i]);
    mean += weights[i] * logRatio[i];
    square += weights[i] * logRatio[i] * logRatio[i];
  }
  // To second order in predictors that differ little.
  const guess = target - mean + ((Math.exp(target) - 1) * (square - mean * mean)) / 2;
  let root = Math.min(high, Math.max(low, guess));
  for (let turn = 0; turn < 200 && high - low > TOLERANCE; turn += 1) {
    let value = 0;
    let slope = 0;
    for (let i = start; i < start + count; i += 1) {
      const hazard = Math.exp(root + logRatio[i]);
      const free = weights[i] * Math.exp(-hazard);
      value += free;
      slope -= free * hazard;
    }
    if (value > survival) low = root;
    else high = root;
    const newton = root - (value - survival) / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - root) < TOLERANCE) return next;
    root = next;
  }
  return root;
}

function medians(kind) {
  const { model, count, weights, logRatio } = kind;
  const out = new Float64Array(model.draws);
  for (let d = 0; d < model.draws; d += 1) {
    const hazard = Math.exp(logHazardAt(logRatio, weights, d * count, count, 0.5));
    out[d] = monthsAt(kind, hazard, d);
  }
  return kind.lateLogRatio === null ? out : lateMedians(kind, out);
}

// Medians that come after the change: of those left by then, at what is left to go.
function lateMedians(kind, early) {
  const { model, count, weights, ratio, lateLogRatio } = kind;
  const before = baselineHazard(kind, model.change);
  for (let d = 0; d < model.draws; d += 1) {
    const left = new Float64Array(count);
    for (let p = 0; p < count; p += 1) {
      left[p] = weights[d * count + p] * Math.exp(-before[d] * ratio[d * count + p]);
    }
    const share = d3.sum(left);
    if (share <= 0.5) continue;
    const rest = left.map((value) => value / share);
    const own = lateLogRatio.subarray(d * count, (d + 1) * count);
    early[d] = monthsAt(kind, before[d] + Math.exp(logHazardAt(own, rest, 0, count, 0.5 / share)), d);
  }
  return early;
}

function responseProbability(kind) {
  const { model, population, count, weights, logRatio } = kind;
  const out = new Float64Array(model.draws);
  for (let d = 0; d < model.draws; d += 1) {
    for (let p = 0, i = d * count; p < count; p += 1, i += 1) {
      out[d] += weights[i] / (1 + Math.exp(-population.baseline.values[d] - logRatio[i]));
    }
  }
  return out;
}

// Quantile of sorted draws, interpolated as numpy does.
function quantile(sorted, p) {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  const [from, to] = [sorted[below], sorted[above]];
  // Between infinities, and where nothing lies between, there is nothing to interpolate.
  return from === to || place === below ? from : from + (place - below) * (to - from);
}

// Monte Carlo error of a quantile as `posterior.summary`, of draws that are taken as independent.
function quantileError(sorted, p) {
  const share = Math.sqrt((p * (1 - p)) / sorted.length);
  const [low, high] = [Math.max(0, p - REACH * share), Math.min(1, p + REACH * share)];
  const [below, above] = [quantile(sorted, low), quantile(sorted, high)];
  return below === above ? 0 : (share * (above - below)) / (high - low);
}

// Median and central interval, each with its Monte Carlo error.
function interval(draws, level) {
  const sorted = Float64Array.from(draws).sort();
  const places = { estimate: 0.5, lower: (1 - level) / 2, upper: (1 + level) / 2 };
  const found = { errors: {} };
  for (const [name, p] of Object.entries(places)) {
    found[name] = quantile(sorted, p);
    found.errors[name] = quantileError(sorted, p);
  }
  return found;
}
