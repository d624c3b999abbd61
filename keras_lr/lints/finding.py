"""``Finding``: one thing that is odd about schedules in a fit."""

from __future__ import annotations

from dataclasses import dataclass

#: From the worst on. Of an error a fit trains nothing, or does not begin; a warning is
#: hardly what was meant; a note may well be.
SEVERITIES = ("error", "warning", "note")

#: All that can be found, in the order of ``docs/lint.md``.
CODES = (
    "zero-run",
    "negative-rate",
    "momentum-range",
    "two-writers",
    "zero-first",
    "jump",
    "new-plan",
    "ends-early",
    "cut-short",
    "no-peak",
    "no-floor",
    "epochs-as-updates",
    "batches-as-updates",
    "starts-at-floor",
    "begins-anew",
    "far-from-found",
    "far-from-usual",
    "short-warmup",
)


@dataclass(frozen=True)
class Finding:
    """One thing that :func:`keras_lr.lint` has found.

    Attributes:
        code: Its stable name, as ``"zero-first"``, one of ``CODES``;
            ``docs/lint.md`` has an entry for each.
        severity: ``"error"`` (the fit would be refused, or train nothing),
            ``"warning"`` (hardly what was meant) or ``"note"`` (it may well be meant).
        message: What was found, in a sentence.
        advice: The next step.
        update: The update of the run at which it lies, from 0; None where it is about
            the whole run.
        schedule: The schedule that it is about, as its representation shows it; None
            where it is about the fit.

    Example:
        >>> import keras_lr
        >>> report = keras_lr.lint(
        ...     keras_lr.CosineDecay(decay=50), epochs=2, steps_per_epoch=100
        ... )
        >>> finding = report.findings[0]
        >>> finding.code, finding.severity, finding.update
        ('ends-early', 'warning', 50)
    """

    code: str
    severity: str
    message: str
    advice: str
    update: int | None = None
    schedule: str | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Each once, the worst first, then as they come in the run."""
    once = dict.fromkeys(findings)

    def place(finding: Finding) -> tuple[int, int]:
        update = -1 if finding.update is None else finding.update
        return SEVERITIES.index(finding.severity), update

    return tuple(sorted(once, key=place))
