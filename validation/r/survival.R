# Reference numbers for tests/reference/patients. How to run: README.md beside this file.
# Rows come with R's packages, and only what is computed from them is written.

suppressPackageStartupMessages({
  library(survival)
  library(MASS)
})
library(jsonlite)

MONTH <- 30.4375 # days
CUTS <- c(3, 6, 9, 12, 18, 24)
CHANGE <- 6 # months, where an effect may change
SCAN <- 3 # months between scans
LEVEL <- 0.95

per_sd <- function(x) (x - mean(x)) / sd(x)
yes <- function(x) factor(x, c(0, 1), c("no", "yes"))
nodes_in <- function(x, breaks, labels) cut(x, c(0, breaks, Inf), labels)

# --- the four sets: time (months), event, entry, covariates -------------------------------------

lung_rows <- with(survival::lung, data.frame(
  entry = 0, time = time / MONTH, event = as.numeric(status == 2), inst = inst,
  sex = factor(sex, 1:2, c("male", "female")),
  ecog = factor(pmin(ph.ecog, 2), 0:2, c("0", "1", ">=2")),
  raw_age = age
))
lung_rows <- lung_rows[!is.na(lung_rows$ecog), ]
lung_rows$age <- per_sd(lung_rows$raw_age)

gbsg_rows <- with(survival::gbsg, data.frame(
  entry = 0, time = rfstime / MONTH, event = status,
  hormone = yes(hormon), grade = factor(grade, 1:3, c("I", "II", "III")),
  nodes = nodes_in(nodes, c(3, 9), c("1-3", "4-9", ">=10")),
  raw_age = age, age = per_sd(age), er = er, node_count = nodes,
  size = factor(size > 20, c(FALSE, TRUE), c("<=20mm", ">20mm"))
))

data(Rossi, package = "carData")
rossi_rows <- with(Rossi, data.frame(
  entry = 0, time = week * 7 / MONTH, event = arrest,
  fin = fin, race = factor(race, c("other", "black")),
  raw_age = age, age = per_sd(age), prio = per_sd(prio)
))

heart_rows <- with(survival::heart, data.frame(
  entry = start / MONTH, time = stop / MONTH, event = event,
  transplant = yes(as.numeric(as.character(transplant))), surgery = yes(surgery),
  raw_age = age, age = per_sd(age)
))

sets <- list(
  lung = list(rows = lung_rows, terms = c("sex", "ecog", "age"), by = c("sex", "ecog")),
  gbsg = list(rows = gbsg_rows, terms = c("hormone", "grade", "nodes", "age"),
              by = c("hormone", "grade")),
  rossi = list(rows = rossi_rows, terms = c("fin", "race", "age", "prio"), by = "fin"),
  heart = list(rows = heart_rows, terms = c("transplant", "surgery", "age"), by = character())
)

# --- how results are written --------------------------------------------------------------------

# "sexfemale" of a model matrix -> "sex female", the covariate and its level
spaced <- function(names, terms) {
  for (term in terms) names <- sub(paste0("^", term, "(.+)$"), paste(term, "\\1"), names)
  names
}

estimates <- function(estimate, se, names) {
  setNames(Map(function(e, s) list(estimate = e, se = s), unname(estimate), unname(se)), names)
}

summary_of_rows <- function(set) {
  rows <- set$rows
  list(
    n = nrow(rows), events = sum(rows$event), person_months = sum(rows$time - rows$entry),
    levels = lapply(Filter(is.factor, rows[set$terms]), function(x) as.list(table(x))),
    age = list(mean = mean(rows$raw_age), sd = sd(rows$raw_age))
  )
}

with_terms <- function(response, terms, env = parent.frame()) {
  reformulate(terms, response, env = env)
}

# --- Cox and its check of proportionality -------------------------------------------------------

exactly <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)

cox <- function(rows, terms, extra = character()) {
  fit <- coxph(with_terms(quote(Surv(entry, time, event)), c(terms, extra)), rows,
               ties = "efron", control = exactly)
  shown <- !is.na(coef(fit))
  list(
    coefficients = estimates(coef(fit)[shown], sqrt(diag(vcov(fit)))[shown],
                             spaced(names(coef(fit))[shown], terms)),
    log_likelihood = list(null = fit$loglik[1], fitted = fit$loglik[2]),
    n = fit$n, events = fit$nevent
  )
}

# Since survival 3 cox.zph is the score test itself ("score"). The older approximation of Grambsch
# and Therneau (1994), from the scaled Schoenfeld residuals, is what lifelines computes.
zph <- function(rows, terms, transform) {
  fit <- coxph(with_terms(quote(Surv(time, event)), terms), rows, control = exactly)
  table <- cox.zph(fit, transform = transform)$table
  residuals <- residuals(fit, "scaledsch")
  times <- as.numeric(rownames(residuals))
  curve <- survfit(Surv(time, event) ~ 1, rows)
  g <- switch(transform,
    km = 1 - stepfun(curve$time, c(1, curve$surv), right = TRUE)(times - 1e-9),
    identity = times
  )
  g <- g - mean(g)
  approximate <- colSums(g * residuals)^2 / (diag(vcov(fit)) * fit$nevent * sum(g^2))
  list(
    score = apply(table, 1, function(row) {
      list(chi_square = row[["chisq"]], df = row[["df"]], p = row[["p"]])
    }),
    approximate = setNames(as.list(unname(approximate)), spaced(names(coef(fit)), terms))
  )
}

# --- Weibull, anchored at 12 months: log H = a + kappa log(t / 12) + x' beta ----------------------

# survreg: log T = m + x'b + s W, so kappa = 1/s, a = (log 12 - m) / s, beta = -b / s; the delta
# method with respect to (m, b, log s).
anchored <- function(fit, terms) {
  b <- coef(fit)
  s <- fit$scale
  value <- c(a = (log(12) - b[[1]]) / s, -b[-1] / s, kappa = 1 / s)
  jacobian <- diag(length(value)) * c(rep(-1 / s, length(b)), 0)
  jacobian[, length(value)] <- -value
  se <- sqrt(diag(jacobian %*% vcov(fit) %*% t(jacobian)))
  list(
    coefficients = estimates(value, se, spaced(names(value), terms)),
    log_likelihood = fit$loglik[2]
  )
}

survreg_of <- function(formula, rows) {
  if (is.null(rows$weight)) rows$weight <- 1
  environment(formula) <- environment()
  survreg(formula, rows, weights = weight, dist = "weibull",
          control = survreg.control(maxiter = 200, rel.tolerance = 1e-13))
}

weibull <- function(rows, terms) {
  anchored(survreg_of(with_terms(quote(Surv(time, event)), terms), rows), terms)
}

# An event is seen at the first scan after it; who is censored is so at the day itself.
weibull_scans <- function(rows, terms) {
  rows$lower <- ifelse(rows$event == 1, SCAN * (ceiling(rows$time / SCAN) - 1), rows$time)
  rows$upper <- ifelse(rows$event == 1, SCAN * ceiling(rows$time / SCAN), NA)
  rows$lower[rows$lower == 0] <- NA # left-censored, as survreg wants it
  seen <- quote(Surv(lower, upper, type = "interval2"))
  anchored(survreg_of(with_terms(seen, terms), rows), terms)
}

# survreg knows no delayed entry: R's own Weibull distribution and its general optimiser.
weibull_entry <- function(rows, terms, extra = character()) {
  x <- model.matrix(with_terms(NULL, c(terms, extra)), rows)[, -1, drop = FALSE]
  x <- x[, apply(x, 2, var) > 0, drop = FALSE]
  negative <- function(p) {
    kappa <- exp(p[2])
    scale <- 12 * exp(-(p[1] + drop(x %*% p[-(1:2)])) / kappa)
    tail <- function(t) pweibull(t, kappa, scale, lower.tail = FALSE, log.p = TRUE)
    -sum(ifelse(rows$event == 1, dweibull(rows$time, kappa, scale, log = TRUE), tail(rows$time))
         - tail(rows$entry))
  }
  start <- c(log(12 * sum(rows$event) / sum(rows$time - rows$entry)), numeric(1 + ncol(x)))
  for (method in c("Nelder-Mead", "BFGS", "BFGS")) { # the first only to come near
    fit <- optim(start, negative, method = method,
                 control = list(reltol = 1e-16, maxit = 1000, ndeps = rep(1e-5, length(start))))
    start <- fit$par
  }
  se <- sqrt(diag(solve(optimHess(start, negative, control = list(
    ndeps = rep(1e-4, length(start)))))))
  value <- c(start[1], exp(start[2]), start[-(1:2)])
  se[2] <- se[2] * value[2]
  list(
    coefficients = estimates(value, se, c("a", "kappa", spaced(colnames(x), terms))),
    log_likelihood = -fit$value
  )
}

# --- piecewise exponential: log h_j + x' beta, by Poisson regression of split episodes ------------

piecewise <- function(rows, terms, extra = character()) {
  # A cut goes where no event follows before the next: the hazard there would have no estimate.
  events <- table(cut(rows$time[rows$event == 1], c(0, CUTS, Inf)))
  cuts <- CUTS[events[-1] > 0]
  split <- survSplit(Surv(entry, time, event) ~ ., rows, cut = cuts, episode = "piece")
  split$piece <- factor(split$piece)
  split$exposure <- split$time - split$entry
  fit <- glm(with_terms(quote(event), c("0 + piece", terms, extra, "offset(log(exposure))")),
             poisson, split, control = glm.control(epsilon = 1e-14, maxit = 100))
  shown <- !is.na(coef(fit))
  list(
    cuts = cuts,
    coefficients = estimates(coef(fit)[shown], sqrt(diag(vcov(fit)))[shown],
                             spaced(names(coef(fit))[shown], c("piece", terms))),
    log_likelihood = sum(split$event * log(fitted(fit) / split$exposure) - fitted(fit))
  )
}

# --- one effect that may change at CHANGE months -------------------------------------------------

changing <- function(rows, terms) {
  split <- survSplit(Surv(entry, time, event) ~ ., rows, cut = CHANGE, episode = "late")
  split$female_late <- as.numeric(split$sex == "female" & split$late == 2)
  lapply(list(cox = cox, weibull = weibull_entry, piecewise = piecewise),
         function(fit) fit(split, terms, "female_late"))
}

# --- a grade that is missing, summed out: EM around survreg with weights --------------------------

# Grade is taken for missing where no oestrogen receptor was found, its margin from the others.
weibull_missing_grade <- function(rows, terms) {
  rows$missing <- rows$er == 0
  margin <- prop.table(table(rows$grade[!rows$missing]))
  rows$id <- seq_len(nrow(rows))
  known <- rows[!rows$missing, ]
  each <- lapply(levels(rows$grade), function(assumed) {
    transform(rows[rows$missing, ], grade = factor(assumed, levels(rows$grade)))
  })
  completed <- do.call(rbind, c(list(known), each))
  prior <- ifelse(completed$missing, margin[as.character(completed$grade)], 1)
  completed$weight <- prior
  log_likelihood <- -Inf
  repeat {
    fit <- survreg_of(with_terms(quote(Surv(time, event)), terms), completed)
    scale <- exp(predict(fit, completed, type = "lp"))
    density <- ifelse(completed$event == 1, dweibull(completed$time, 1 / fit$scale, scale),
                      pweibull(completed$time, 1 / fit$scale, scale, lower.tail = FALSE))
    total <- ave(prior * density, completed$id, FUN = sum)
    completed$weight <- prior * density / total
    before <- log_likelihood
    log_likelihood <- sum(log(total[!duplicated(completed$id)]))
    if (abs(log_likelihood - before) < 1e-13 * abs(log_likelihood)) break
  }
  value <- c(a = (log(12) - coef(fit)[[1]]) / fit$scale, -coef(fit)[-1] / fit$scale,
             kappa = 1 / fit$scale)
  list(
    missing = sum(rows$missing), margin = as.list(margin),
    coefficients = setNames(lapply(unname(value), function(v) list(estimate = v)),
                            spaced(names(value), terms)),
    log_likelihood = log_likelihood
  )
}

# --- Kaplan-Meier and log-rank ------------------------------------------------------------------

kaplan_meier <- function(rows) {
  fit <- survfit(Surv(time, event) ~ 1, rows, conf.type = "log-log", conf.int = LEVEL)
  at <- summary(fit, times = c(6, 12, 24)[c(6, 12, 24) < max(rows$time)])
  table <- summary(fit)$table
  list(
    survival = Map(function(t, s, l, u) list(months = t, estimate = s, lower = l, upper = u),
                   at$time, at$surv, at$lower, at$upper),
    median = list(estimate = table[["median"]], lower = table[["0.95LCL"]],
                  upper = table[["0.95UCL"]])
  )
}

log_rank <- function(rows, by) {
  test <- survdiff(reformulate(by, quote(Surv(time, event))), rows)
  list(chi_square = test$chisq, df = length(test$n) - 1)
}

curves <- function(set) {
  groups <- lapply(setNames(nm = set$by), function(by) {
    lapply(split(set$rows, set$rows[[by]]), kaplan_meier)
  })
  list(
    kaplan_meier = c(list(overall = kaplan_meier(set$rows)), groups),
    log_rank = lapply(setNames(nm = set$by), function(by) log_rank(set$rows, by))
  )
}

# --- response -------------------------------------------------------------------------------------

# Fewer positive nodes stand for a better response: 1 CR, 2-3 PR, 4-9 SD, 10 and more PD.
logistic <- function(rows, terms) {
  rows$responded <- rows$node_count <= 3
  fit <- glm(with_terms(quote(responded), terms), binomial, rows,
             control = glm.control(epsilon = 1e-14, maxit = 100))
  list(
    coefficients = estimates(coef(fit), sqrt(diag(vcov(fit))),
                             c("b", spaced(names(coef(fit))[-1], terms))),
    log_likelihood = as.numeric(logLik(fit))
  )
}

# polr: logit P(Y <= k) = zeta_k - x' gamma
ordinal <- function(rows, terms) {
  rows$best <- factor(cut(-rows$node_count, c(-Inf, -10, -4, -2, 0), c("PD", "SD", "PR", "CR")),
                      ordered = TRUE)
  fit <- polr(with_terms(quote(best), terms), rows, Hess = TRUE,
              control = list(reltol = 1e-16, maxit = 1000))
  zeta <- unname(fit$zeta)
  covariance <- vcov(fit)
  p <- length(coef(fit))
  jacobian <- rbind(cbind(diag(p), matrix(0, p, 3)),
                    cbind(matrix(0, 3, p), rbind(c(0, -1, 0), c(-1, 1, 0), c(0, -1, 1))))
  value <- drop(jacobian %*% c(coef(fit), zeta))
  list(
    counts = as.list(table(rows$best)),
    coefficients = estimates(value, sqrt(diag(jacobian %*% covariance %*% t(jacobian))),
                             c(spaced(names(coef(fit)), terms), "b", "d_1", "d_2")),
    log_likelihood = as.numeric(logLik(fit))
  )
}

# --- all of it ----------------------------------------------------------------------------------

of_set <- function(name) {
  set <- sets[[name]]
  delayed <- any(set$rows$entry > 0)
  fits <- list(
    rows = summary_of_rows(set),
    cox = cox(set$rows, set$terms),
    weibull = (if (delayed) weibull_entry else weibull)(set$rows, set$terms),
    piecewise = piecewise(set$rows, set$terms)
  )
  if (delayed) return(fits)
  c(fits, curves(set), list(zph = lapply(setNames(nm = c("km", "identity")), function(transform) {
    zph(set$rows, set$terms, transform)
  })))
}

reference <- list(
  versions = c(
    list(R = paste(R.version$major, R.version$minor, sep = ".")),
    lapply(setNames(nm = c("survival", "MASS", "carData")), function(package) {
      packageDescription(package)$Version
    })
  ),
  month_in_days = MONTH, change_months = CHANGE, scan_months = SCAN, level = LEVEL,
  sets = lapply(setNames(nm = names(sets)), of_set),
  lung_scans = weibull_scans(lung_rows, sets$lung$terms),
  lung_change = changing(lung_rows, sets$lung$terms),
  lung_strata = cox(lung_rows[!is.na(lung_rows$inst), ], sets$lung$terms, "strata(inst)"),
  gbsg_missing_grade = weibull_missing_grade(gbsg_rows, sets$gbsg$terms),
  gbsg_logistic = logistic(gbsg_rows, c("size", "grade", "age")),
  gbsg_ordinal = ordinal(gbsg_rows, c("size", "grade", "age"))
)

write_json(reference, "../../tests/reference/patients/r_survival.json",
           pretty = TRUE, auto_unbox = TRUE, digits = NA, na = "null")
