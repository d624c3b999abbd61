"""Schedules as they are written on the command line and in files."""

from __future__ import annotations

TEXTS = (
    "Warmup('5%'), CosineDecay(max_lr=0.1)",
    "keras_lr.OneCycle(max_lr=0.1, momentum=(0.8, 0.9))",
    "LinearDecay().extend(done=3, total=9, warmup=2)",
    "Schedule(linear(2), phases.hold(1), keras_lr.phases.cosine(to=0.0), max_lr=+0.5)",
    "combine(Warmup(3), PiecewiseConstant([3], [1.0, 0.5]))",
    "from_torch('SequentialLR', schedulers=[('LinearLR', {}), ('StepLR', "
    "{'step_size': 2})], milestones=[4])",
    "PiecewiseLinear([(0, 0.5), ('25%', 1.0), (20, 0.0)])",
)
FILES = (
    {
        "epochs": 3,
        "steps_per_epoch": 4,
        "base_lr": 0.1,
        "schedules": ["Warmup('5%')", {"name": "CosineDecay", "max_lr": 0.1}],
    },
    {
        "epochs": 1.5,
        "steps_per_epoch": 4,
        "schedules": {
            "name": "Schedule",
            "max_lr": 0.5,
            "phases": [
                {"name": "linear", "duration": "2 steps", "to": 1.0},
                {"name": "repeat", "phases": [{"name": "linear", "duration": 2}]},
            ],
        },
    },
    {
        "epochs": 2,
        "steps_per_epoch": 5,
        "schedules": [
            {
                "from": "torch",
                "name": "SequentialLR",
                "schedulers": [
                    {"name": "LinearLR"},
                    {"name": "StepLR", "step_size": 2},
                ],
                "milestones": [4],
            }
        ],
    },
)
