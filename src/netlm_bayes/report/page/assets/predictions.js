"use strict";
// A profile to predictions, in words and numbers: of the run, and of its companion.

const FINE_POINTS = 48;
const POINTS = 24;
const MOST_KNOWN = 40;
const FAR = 3;

const explorer = { models: [], predictions: [], known: new Map(), times: null, reading: null };

// Survival at a time in the page's unit; everything in `statistics.js` is in months.
function survivalIn(kind, time) {
  return survivalAt(kind, time * explorer.times.months);
}

function withUnit(time) {
  const { unit } = explorer.times;
  return `${time} ${time === 1 ? unit.replace(/s$/, "") : unit}`;
}

function mediansIn(kind) {
  return medians(kind).map((months) => months / explorer.times.months);
}

function control(id) {
  return document.getElementById(id);
}

// What is chosen in one column of the form; an empty choice is averaged over.
function chosenProfile(which) {
  const profile = { levels: {}, numbers: {} };
  explorer.models[0].covariates.forEach((covariate, j) => {
    const text = control(`covariate-${which}-${j}`).value;
    if (text === "") return;
    if (covariate.scale === null) profile.levels[covariate.name] = Number(text);
    else if (Number.isFinite(Number(text))) profile.numbers[covariate.name] = Number(text);
  });
  return profile;
}

// The same profile in another model's order of populations; null where it has none of that name.
function kindIn(model, name, profile, endpoint) {
  const population = model.populations.find((one) => one.id === name);
  return population === undefined ? null : kindOf(model, population, profile, endpoint);
}

// A prediction, computed once: one profile stays while the other is changed.
function predict(which) {
  const profile = chosenProfile(which);
  const name = explorer.models[0].populations[Number(control(`population-${which}`).value)].id;
  const endpoint = control("endpoint") === null ? 0 : Number(control("endpoint").value);
  const key = JSON.stringify([which, profile, name, endpoint]);
  if (!explorer.known.has(key)) {
    if (explorer.known.size >= MOST_KNOWN) explorer.known.clear();
    explorer.known.set(key, predicted(which, profile, name, endpoint));
  }
  return explorer.known.get(key);
}

function predicted(which, profile, name, endpoint) {
  const [model, other] = explorer.models;
  const kind = kindIn(model, name, profile, endpoint);
  const found = { which, profile, kind, quantities: [], curve: [] };
  if (model.outcome === "survival") survivalOf(found);
  else found.quantities.push(responseOf(kind, ""));
  const companion = other === undefined ? null : kindIn(other, name, profile, 0);
  if (companion !== null) {
    if (other.outcome === "response") found.quantities.push(responseOf(companion, other.run));
    else found.quantities.push(...survivalQuantities(companion, other.run));
  }
  return found;
}

function survivalOf(found) {
  const steps = found.kind.count > 1 ? POINTS : FINE_POINTS;
  found.curve = d3.range(steps + 1).map((place) => {
    const time = (place * explorer.times.last) / steps;
    return { time, ...interval(survivalIn(found.kind, time), found.kind.model.level) };
  });
  found.quantities.push(...survivalQuantities(found.kind, ""));
}

function survivalQuantities(kind, run) {
  const { unit, horizons } = explorer.times;
  const rows = [{ id: "median", label: `Median, ${unit}`, draws: mediansIn(kind), kind: "time", at: null }];
  for (const at of horizons) {
    rows.push({ id: `survival-${at}`, label: `${capitalised(eventFree(kind))} at ${withUnit(at)}`, draws: survivalIn(kind, at), kind: "share", at });
  }
  return rows.map((row) => ({ ...row, run, model: kind.model }));
}

// Who has had no event, in the words of the endpoint that is asked.
function eventFree(kind) {
  return kind.model.endpoints[kind.endpoint].event_free;
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function responseOf(kind, run) {
  const draws = responseProbability(kind);
  return { id: "response", label: "Probability of response", draws, kind: "share", run, model: kind.model, at: null };
}

function profileText(found) {
  const { model, population } = found.kind;
  const parts = [population.label];
  for (const covariate of model.covariates) {
    const level = found.profile.levels[covariate.name];
    const number = found.profile.numbers[covariate.name];
    if (level !== undefined) parts.push(`${covariate.label} ${covariate.levels[level]}`);
    if (number !== undefined) parts.push(`${covariate.label} ${number} ${covariate.scale.unit}`);
  }
  return parts.join(", ");
}

// What a number is averaged over, and where it rests on little.
function cautions(found) {
  const { model, population } = found.kind;
  const over = model.covariates.filter(
    (one) => !(one.name in found.profile.levels) && !(one.name in found.profile.numbers),
  );
  const notes = [];
  if (over.length === 0) notes.push("conditional on every covariate of the model");
  else notes.push(`averaged over ${over.map((one) => one.label).join(", ")} as in the population${model.mixing}`);
  if (!population.measured.includes(model.endpoints[found.kind.endpoint].id)) {
    notes.push("nothing in its likelihood is of this endpoint: the curve follows from its other endpoint and the other cohorts");
  }
  for (const covariate of model.covariates) notes.push(...scarce(found, covariate));
  if (model.outcome === "survival" && population.followed_to === null) notes.push("length of follow-up not printed");
  else if (model.outcome === "survival" && population.followed_to < explorer.times.last) {
    notes.push(`beyond ${withUnit(Number(population.followed_to.toPrecision(4)))}, the last follow-up, the curve is extrapolated`);
  }
  return notes;
}

function scarce(found, covariate) {
  const { model, population } = found.kind;
  const level = covariate.levels[found.profile.levels[covariate.name]];
  const number = found.profile.numbers[covariate.name];
  if (number !== undefined) {
    const away = Math.abs(number - covariate.scale.mean) / covariate.scale.sd;
    return away > FAR ? [`${covariate.label}: extrapolated, ${away.toFixed(1)} standard deviations from the mean`] : [];
  }
  if (level === undefined) return [];
  if (population.silent.includes(covariate.name)) {
    return [`no evidence of this population bears on ${covariate.label}: its curves do not differ by it`];
  }
  const shares = model.cohorts.map((cohort) => cohort.shares[covariate.name][level]);
  if (!shares.some((share) => share > 0)) return [`no patient with ${covariate.label} ${level}; the prior speaks`];
  const own = model.cohorts.findIndex((cohort) => cohort.id === population.id);
  if (own < 0 || shares[own] > 0) return [];
  const speaker = model.alone ? "the prior speaks" : "the others speak for it";
  return [`none in this cohort with ${covariate.label} ${level}; ${speaker}`];
}
