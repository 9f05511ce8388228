# Reference numbers for tests/reference/test_meta_analysis.py. How to run: README.md beside this file.
# The log ratios are invented; each case is there for what its name says.

suppressPackageStartupMessages(library(metafor))
library(jsonlite)

cases <- list(
  "two cohorts, homogeneous" = list(
    log_ratio = c(0.41, 0.48),
    log_ratio_se = c(0.21, 0.34)
  ),
  "two cohorts, heterogeneous" = list(
    log_ratio = c(-0.15, 1.27),
    log_ratio_se = c(0.19, 0.36)
  ),
  "seven cohorts" = list(
    log_ratio = c(0.92, 0.11, 0.54, -0.37, 1.35, 0.28, 0.66),
    log_ratio_se = c(0.25, 0.14, 0.31, 0.42, 0.38, 0.17, 0.22)
  ),
  "twelve cohorts, no heterogeneity" = list(
    log_ratio = c(0.30, 0.42, 0.18, 0.35, 0.51, 0.24, 0.39, 0.28, 0.45, 0.21, 0.33, 0.37),
    log_ratio_se = c(0.20, 0.35, 0.28, 0.15, 0.44, 0.31, 0.26, 0.38, 0.22, 0.29, 0.17, 0.33)
  )
)

estimates <- function(fit) {
  list(
    log_ratio = as.numeric(fit$beta), se = fit$se,
    lower = fit$ci.lb, upper = fit$ci.ub, tau = sqrt(fit$tau2)
  )
}

pool <- function(case, level) {
  fit <- function(...) {
    estimates(rma(yi = case$log_ratio, sei = case$log_ratio_se, level = 100 * level, ...))
  }
  list(
    level = level,
    fixed_effect = fit(method = "EE"),
    random_effects = fit(
      method = "REML", test = "knha", control = list(threshold = 1e-14, maxiter = 10000)
    )
  )
}

reference <- list(
  versions = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    metafor = packageDescription("metafor")$Version
  ),
  cases = lapply(cases, function(case) {
    c(case, list(fits = lapply(c(0.80, 0.95), function(level) pool(case, level))))
  })
)

write_json(reference, "meta_analysis.json", pretty = TRUE, auto_unbox = TRUE, digits = NA)
