"""Contracts of the models layer: every version with its metrics beside their baselines and its inputs by
importance, every verdict with its numbers.

Belongs here: `models.versions`, `models.feature_importance`, `models.promotions` and `models.interval_levels`. Does not: the
other layers (`tables`).
"""

from spx_assets.lake.schema import Column, Table


def _metric(name: str, text: str, unit: str = "") -> Column:
    return Column(name, "DOUBLE", text, nullable=True, unit=unit)


VERSIONS = Table(
    "models.versions",
    "Every trained model version with its out-of-time metrics beside their baselines",
    (
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("family", "VARCHAR", "Model family"),
        Column("week", "DATE", "Newest trading week the version has seen"),
        Column("ts", "TIMESTAMPTZ", "Start of that week"),
        Column("version", "VARCHAR", "Version id; unique over all names, sorts by time"),
        Column("created_at", "TIMESTAMPTZ", "When it was trained"),
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes"),
        Column("instruments", "VARCHAR", "Comma-separated scope"),
        Column("feeds", "VARCHAR", "Bindings of those feeds at training, in their order", nullable=True),
        Column("training_start", "TIMESTAMPTZ", "First row seen"),
        Column("training_cutoff", "TIMESTAMPTZ", "No row or label later than this was seen"),
        Column("calibration_end", "TIMESTAMPTZ", "End of the calibration segment's label lives"),
        Column("digest", "VARCHAR", "sha256 over the artifact's files"),
        Column("features", "INTEGER", "Number of model inputs"),
        Column("feature_set_hash", "VARCHAR", "Hash of the ordered model inputs and their definitions"),
        Column("rows_fit", "BIGINT", "Rows of the fit segment"),
        Column("rows_oot", "BIGINT", "Rows of the out-of-time segment"),
        _metric("effective_obs", "Effective out-of-time sample size from label uniqueness"),
        _metric("log_loss_calibration", "Cross-fitted log loss on the calibration rows it can forecast"),
        _metric("log_loss_calibration_base", "The same of a constant base rate, same rows and folds; the gain ranks candidates"),
        _metric("auc", "Area under the ROC curve, out of time"),
        _metric("auc_low", "Lower end of its 95 % interval"),
        _metric("auc_high", "Upper end of its 95 % interval"),
        _metric("auc_fit", "Area under the ROC curve on the fit segment"),
        _metric("accuracy", "Share of directions forecast right"),
        _metric("accuracy_base", "The same for the side the base rate favours"),
        _metric("precision", "Share of rows said to go up that did; null where none was said to"),
        _metric("recall", "Share of rows that went up that were said to"),
        _metric("f1", "Harmonic mean of precision and recall"),
        _metric("log_loss", "Log loss of the calibrated probability"),
        _metric("log_loss_base", "Log loss of the base rate on the same rows"),
        _metric("log_loss_skill_low", "Lower end of the 90 % HAC interval of log_loss_base - log_loss"),
        _metric("log_loss_skill_high", "Upper end of that interval"),
        _metric("p_direction", "One-sided p-value of the direction head against the base rate (HAC)"),
        _metric("brier", "Brier score"),
        _metric("brier_base", "Brier score of the base rate"),
        _metric("ece", "Expected calibration error in 10 equal-count bins"),
        _metric("ece_band", "What it stays below with 95 % probability if the probabilities are exactly right, overlap counted"),
        _metric("ece_base", "Expected calibration error of the base rate"),
        _metric("rmse_bp", "RMSE of the return head", "basis points"),
        _metric("rmse_zero_bp", "RMSE of a forecast of zero", "basis points"),
        _metric("rmse_mean_bp", "RMSE of the fit segment's mean", "basis points"),
        _metric("rmse_ar1_bp", "RMSE of an AR(1) on the last known return of the same horizon", "basis points"),
        _metric("mae_bp", "Mean absolute error of the return head", "basis points"),
        _metric("mae_zero_bp", "Mean absolute error of a forecast of zero", "basis points"),
        _metric("mae_mean_bp", "Mean absolute error of the fit segment's mean", "basis points"),
        _metric("mae_ar1_bp", "Mean absolute error of that AR(1)", "basis points"),
        _metric("r2_zero", "1 - MSE / MSE of zero"),
        _metric("ic", "Pearson correlation of expected and realised return"),
        _metric("ic_low", "Lower end of its 95 % HAC interval"),
        _metric("ic_high", "Upper end of its 95 % HAC interval"),
        _metric("p_return", "One-sided Clark-West p-value of the return head against zero"),
        _metric("coverage_interval", "Share of realised returns inside the conformal interval"),
        _metric("coverage", "Share of labelled out-of-time rows the version can forecast"),
        _metric("missing_share", "Share that is null out of time of what the fit segment knew of its inputs"),
        _metric("latency_ms", "Median time of one forecast", "milliseconds"),
        _metric(
            "cv_log_loss_mean", "Mean over purged expanding folds of fit and validation of the raw log loss; null if not asked"
        ),
        _metric("cv_log_loss_spread", "Standard deviation of it over the folds"),
        _metric("cv_auc_mean", "Mean over those folds of the area under the ROC curve"),
        _metric("cv_auc_spread", "Standard deviation of it over the folds"),
        Column("trials", "BIGINT", "Finished trials of the tuning that chose the parameters; 0 without tuning", nullable=True),
        Column("parent_version", "VARCHAR", "Champion at the time of training", nullable=True),
        Column("lake_snapshot", "BIGINT", "Lake snapshot the training set was read at"),
        Column("training_hash", "VARCHAR", "Content hash of the training set"),
        Column("run_id", "VARCHAR", "Dagster run"),
        _metric("training_seconds", "Wall time of reading and learning, without tuning", "seconds"),
    ),
    key=("version",),
    clocked=False,
    small=True,
)

FEATURE_IMPORTANCE = Table(
    "models.feature_importance",
    "How much each version owes to each of its inputs",
    (
        Column("version", "VARCHAR", "Version id"),
        Column("feature", "VARCHAR", "Model input"),
        Column(
            "gain",
            "DOUBLE",
            "Share of the gain of all trees, heads alike; null without trees",
            nullable=True,
            low=0,
            high=1,
        ),
        Column("permutation", "DOUBLE", "Rise of the direction's log loss out of time with the values of other days"),
        Column("rank", "INTEGER", "Order by permutation, from 1", low=1),
    ),
    key=("version", "feature"),
    time=None,
    records=False,
    small=True,
)

PROMOTIONS = Table(
    "models.promotions",
    "Every verdict of the gate with its numbers, and who was served from when; append only",
    (
        Column("model_name", "VARCHAR", "Forecaster"),
        Column("week", "DATE", "Trading week the verdict belongs to"),
        Column("decided_at", "TIMESTAMPTZ", "Wall time of the verdict"),
        Column("effective_at", "TIMESTAMPTZ", "The feed's clock from which it holds"),
        Column("family", "VARCHAR", "Model family"),
        Column("version", "VARCHAR", "Version judged"),
        Column("verdict", "VARCHAR", "promoted, kept_champion, no_edge, not_entered or manual"),
        Column("reason", "VARCHAR", "The verdict in words"),
        Column("direction_ok", "BOOLEAN", "The direction head beat the base rate"),
        Column("return_ok", "BOOLEAN", "The return head beat zero"),
        Column("moves_current", "BOOLEAN", "The newest week at the time: it moved what is served"),
        Column("champion_before", "VARCHAR", "Champion before the verdict", nullable=True),
        Column("champion_after", "VARCHAR", "Champion after it", nullable=True),
        Column("served", "VARCHAR", "Version served after it: the champion, else the flagged one", nullable=True),
        Column("rank", "INTEGER", "Rank of the candidate on the calibration segment, from 1"),
        Column("tests", "INTEGER", "Tests made for this name so far, this one included"),
        _metric("effective_obs", "Effective out-of-time observations"),
        _metric("p_direction", "One-sided p-value of the direction head against the base rate"),
        _metric("p_return", "One-sided Clark-West p-value of the return head against zero"),
        _metric("p_champion", "One-sided Diebold-Mariano p-value against the champion on shared later rows"),
        _metric("rows_champion", "Rows of that comparison"),
    ),
    key=("model_name", "version", "decided_at"),
    time=None,
    small=True,
)

INTERVAL_LEVELS = Table(
    "models.interval_levels",
    "At which level the intervals of each version are picked on a trading day, so that they hold what they promise; made with "
    "gold.forecasts",
    (
        Column("trading_day", "DATE", "Trading day on which it holds"),
        Column("ts", "TIMESTAMPTZ", "Start of that day"),
        Column("instrument", "VARCHAR", "Traded symbol, e.g. SPX500_USD"),
        Column("model_name", "VARCHAR", "Forecaster, e.g. spx500_h30"),
        Column("family", "VARCHAR", "Model family"),
        Column("version", "VARCHAR", "Version id"),
        Column("horizon_minutes", "INTEGER", "Forecast horizon", unit="minutes", low=1),
        Column("level", "DOUBLE", "Share of outcomes the intervals are to hold", low=0, high=1),
        Column("asked", "DOUBLE", "Level at which they are picked for it: above 1 where not even the widest was enough"),
        Column("outcomes", "BIGINT", "Forecasts of the five trading days before whose outcome it was learned from", low=0),
        Column("covered", "DOUBLE", "Share of them inside their intervals", nullable=True, low=0, high=1),
        Column("known_at", "TIMESTAMPTZ", "End of the last of those labels, before `ts`; null without any", nullable=True),
    ),
    key=("trading_day", "instrument", "version"),
    clocked=False,
    records=False,
    small=True,
)
