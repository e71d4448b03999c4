# What R's package `survey` says of the two samples beside this file: estimates.csv and g_weights.csv are its output.
#
#     Rscript oracle.R FOLDER      writes estimates.csv and g_weights.csv to FOLDER
#
# apistrat.csv and apiclus1.csv are columns of the samples of Californian schools (Academic Performance Index,
# California Department of Education) that come with the package: `data(api)`.
suppressMessages(library(survey))
arguments <- commandArgs()
here <- dirname(sub("^--file=", "", grep("^--file=", arguments, value = TRUE)))
out <- commandArgs(trailingOnly = TRUE)[1]
strat <- read.csv(file.path(here, "apistrat.csv"), stringsAsFactors = TRUE)
clus1 <- read.csv(file.path(here, "apiclus1.csv"), stringsAsFactors = TRUE)
dstrat <- svydesign(id = ~1, strata = ~stype, weights = ~pw, data = strat, fpc = ~fpc)
dclus1 <- svydesign(id = ~dnum, weights = ~pw, data = clus1, fpc = ~fpc)
types <- data.frame(stype = c("E", "H", "M"), Freq = c(4421, 755, 1018))
wide <- data.frame(sch.wide = c("No", "Yes"), Freq = c(1072, 5122))
numeric <- c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018, api99 = 3914069)
categories <- c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018, sch.wideYes = 5122)
precise <- list(epsilon = 1e-12, maxit = 200)
calibrated <- function(design, formula, totals, ...) {
  calibrate(design, formula, totals, epsilon = precise$epsilon, maxit = precise$maxit, ...)
}
raked <- function(design) {
  rake(design, list(~stype, ~sch.wide), list(types, wide), control = list(maxit = 200, epsilon = 1e-9))
}
jack <- function(design, type) as.svrepdesign(design, type = type)
cases <- list(
  strat_none = dstrat,
  clus1_none = dclus1,
  strat_linear = calibrated(dstrat, ~stype + api99, numeric),
  strat_raking = calibrated(dstrat, ~stype + api99, numeric, calfun = "raking"),
  strat_logit = calibrated(dstrat, ~stype + api99, numeric, calfun = "logit", bounds = c(0.9, 1.2)),
  strat_linear_trunc = calibrated(dstrat, ~stype + api99, numeric, bounds = c(0.97, 1.035)),
  strat_mixed = calibrated(dstrat, ~stype + sch.wide, categories),
  strat_poststratified = postStratify(dstrat, ~sch.wide, wide),
  clus1_linear = calibrated(dclus1, ~stype + sch.wide, categories),
  clus1_raking = calibrated(dclus1, ~stype + sch.wide, categories, calfun = "raking"),
  clus1_logit = calibrated(dclus1, ~stype + sch.wide, categories, calfun = "logit", bounds = c(0.5, 2.5)),
  clus1_integrated = calibrated(dclus1, ~stype, categories[1:3], aggregate.stage = 1),
  clus1_rake = raked(dclus1),
  clus1_poststratified = postStratify(dclus1, ~stype, types)
)
replicated <- list(
  clus1_none = jack(dclus1, "JK1"),
  strat_none = jack(dstrat, "JKn"),
  clus1_linear = calibrated(jack(dclus1, "JK1"), ~stype + sch.wide, categories),
  clus1_raking = calibrated(jack(dclus1, "JK1"), ~stype + sch.wide, categories, calfun = "raking"),
  strat_linear = calibrated(jack(dstrat, "JKn"), ~stype + api99, numeric),
  strat_raking = calibrated(jack(dstrat, "JKn"), ~stype + api99, numeric, calfun = "raking")
)
told <- function(case, variance, stat, domain, estimate, deff = NA) {
  data.frame(
    case = case, variance = variance, stat = stat, domain = domain,
    estimate = sprintf("%.12g", coef(estimate)), se = sprintf("%.12g", SE(estimate)), deff = sprintf("%.12g", deff)
  )
}
every <- function(case, variance, design) {
  whole <- function(f) f(~enroll, design, deff = "replace")
  effect <- function(f) if (variance == "linearised") as.numeric(deff(whole(f))) else NA
  of_type <- function(type, f, formula) f(formula, subset(design, stype == type))
  rows <- list(
    told(case, variance, "total(enroll)", "", svytotal(~enroll, design), effect(svytotal)),
    told(case, variance, "mean(enroll)", "", svymean(~enroll, design), effect(svymean)),
    told(case, variance, "mean(api00)", "", svymean(~api00, design))
  )
  for (type in c("E", "H", "M")) {
    domain <- paste0("stype=", type)
    rows <- c(rows, list(
      told(case, variance, "total(enroll)", domain, of_type(type, svytotal, ~enroll)),
      told(case, variance, "mean(api00)", domain, of_type(type, svymean, ~api00)),
      told(case, variance, "share(sch_wide=Yes)", domain, of_type(type, svymean, ~I(as.numeric(sch.wide == "Yes"))))
    ))
  }
  do.call(rbind, rows)
}
estimates <- rbind(
  do.call(rbind, lapply(names(cases), function(name) every(name, "linearised", cases[[name]]))),
  do.call(rbind, lapply(names(replicated), function(name) every(name, "jackknife", replicated[[name]])))
)
write.csv(estimates, file.path(out, "estimates.csv"), row.names = FALSE, quote = FALSE)
g <- do.call(rbind, lapply(names(cases), function(name) {
  base <- if (startsWith(name, "strat")) strat else clus1
  data.frame(case = name, id = base$id, g = sprintf("%.12g", weights(cases[[name]]) / base$pw))
}))
write.csv(g, file.path(out, "g_weights.csv"), row.names = FALSE, quote = FALSE)
cat(as.character(packageVersion("survey")), R.version.string, sep = "\n", file = file.path(out, "versions.txt"))
