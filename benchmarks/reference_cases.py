"""The commands of `reference`, in an order in which later ones read the runs of earlier ones."""

FILES = {
    # name in the working folder: content
    "tiny.toml": """\
name = "tiny"
title = "One layer of each kind"
input = [1, 16, 16]
[[layers]]
kind = "conv"
name = "h1"
maps = 4
kernel = 5
stride = 1
pad = 2
border = -1.0
bias = "unit"
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
[[layers]]
kind = "subsample"
name = "s1"
size = 2
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
[[layers]]
kind = "conv"
name = "h2"
maps = 3
kernel = 3
sees = [[0, 1], [2], [1, 2, 3]]
activation = { kind = "relu" }
[[layers]]
kind = "dense"
name = "output"
units = 10
activation = { kind = "tanh", amplitude = 1.7159, slope = 0.6666666666666666 }
""",
    "mine.toml": """\
name = "mine"
title = "A private chip"
year = 1990
source = "made up"

[engine]
kind = "processor"
""",
    "file.toml": """\
input = "s8.6"
[defaults]
weight = "s8.6:TRN:WRAP"
state = "s8.6:TRN:SAT"
accumulator = "s18.10:TRN:WRAP"
preactivation = "s18.10:TRN:WRAP"
bias_at = "end"
activation = { kind = "table" }
[[layers]]
layer = "h3"
accumulator = { form = "s20.12:RND:SAT", product = "s18.10" }
weight_scale = 0.5
""",
    "broken.toml": "name = \n",
    "words.npz": "not an archive\n",
}

SETTINGS = {
    # run: the recipe and its options
    "sgd": "lecun1989 --set 'rule={kind=\"sgd\"}' --set schedule.rate=0.005 --set take=600",
    "karpathy": "karpathy2022 --set take=400",
    "double": "usps2023 --set take=300 --set preparation=bipolar16",
    "softmax": "karpathy2022-modern-1 --set take=300",
    "adamw": "karpathy2022-modern-4 --set take=300",
    "flax": "chang2022-modern-3 --set take=200",
    "batch": "lecun1989-batch --set take=600",
    "adam": "lecun1990-adam --set take=300 --set holdout.digits=60",
    "overfit": "lecun1990-overfit",
    "lenet1": "lenet1 --set take=300",
    "lenet5": "lenet5 --set take=150",
    "lenet5s": "lenet5-softmax --set take=150",
    "fc40": "fc40 --set take=600",
    "full": "lecun1989 --network lecun1989-full --set take=200",
    "tiny": "lecun1989 --network tiny.toml --set take=300",
    "torch": "lecun1989-batch --engine torch --set take=50",
}
PLANS = {
    # name: options that say with which formats
    "8": "--bits 8",
    "default": "",
    "w6s3": "--weight-bits 6 --state-bits 3",
    "acc16": "--bits 8 --accumulator-bits 16 --accumulator-overflow sat",
    "acc14wrap": "--bits 8 --accumulator-bits 14",
    "acc": "--bits 8 --accumulator s18.10:TRN:WRAP",
    "ternary": "--weight-format '{-1,0,1}' --scale threshold:0.7",
    "posit": "--weight-format p3.0 --state-bits 6",
    "states": "--bits 6 --state-format s3.3",
    "mse": "--bits 3 --scale mse",
    "map": "--bits 4 --scale mse/map",
    "maxabs": "--bits 5 --scale max-abs --state-scale percentile:99.5",
    "trn": "--bits 6 --rounding TRN",
    "trnzero": "--bits 6 --rounding trn_zero",
    "rndzero": "--bits 6 --rounding RND_ZERO",
    "rndinf": "--bits 6 --rounding RND_INF",
    "rndmin": "--bits 6 --rounding RND_MIN_INF",
    "conv": "--bits 6 --rounding RND_CONV",
    "stochastic": "--bits 4 --rounding stochastic",
    "16": "--bits 16",
    "24": "--weight-bits 24 --state-bits 12",
    "2": "--bits 2",
    "file": "--plan file.toml",
}
ON_CHIPS = {
    "anna": "anna --chips 2",
    "anna-set": "anna --chips 2 --seed 3 --set noise=0.05",
    "net32k": "net32k --chips 2",
    "net32k-ternary": "net32k --chips 2 --set weights=ternary",
    "precisions": "net32k --precisions",
    "graf54": "graf54 --chips 2",
    "dsp80": "dsp32c-80ns",
    "dsp100": "dsp32c-100ns --tanh sn",
}
COMMANDS = (
    "",
    "train",
    "evaluate",
    "simulate",
    "rates",
    "import",
    "reproduce",
    "sweep",
    "allocate",
    "report",
    "retrain",
    "compare",
    "show",
    "show recipes",
    "show recipe",
    "show networks",
    "show network",
    "show chips",
    "show chip",
    "show plan",
    "data",
    "data list",
    "data fetch",
    "data verify",
    "data path",
    "completion",
)
CHIPS = ("anna", "cnaps", "dsp32c-100ns", "dsp32c-80ns", "graf54", "int8-array", "net32k", "sun4-260")
NETWORKS = (
    "lecun1989",
    "lecun1989-full",
    "lecun1989-rolled",
    "karpathy2022-relu",
    "lecun1990",
    "lenet1",
    "lenet5",
    "lenet5-softmax",
    "fc40",
    "tiny.toml",
)
RECIPES = (
    "lecun1989",
    "lecun1989-batch",
    "karpathy2022-modern-4",
    "chang2022-modern-4",
    "lecun1990-adam",
    "lenet5",
    "usps2023",
    "fc40",
)
ERRORS = {
    "command": "simulte",
    "option": "simulate --bit 8",
    "subcommand": "show chps",
    "recipe": "train lecun1998",
    "network": "train --network lenet2",
    "data": "train --data digits5",
    "show-recipe": "show recipe lecun1998",
    "show-network": "show network lenet2",
    "show-chip": "show chip ana",
    "report-chip": "report --chip ana",
    "simulate-chip": "simulate base --chip cnaps",
    "simulate-chip-name": "simulate base --chip ana",
    "no-chip": "simulate base --precisions",
    "chip-bits": "simulate base --chip anna --bits 8",
    "chip-set": "simulate base --chip anna --set nois=1",
    "chip-set-value": "simulate base --chip anna --set noise=loud",
    "run": "evaluate nothing-here",
    "runs": "simulate --runs none-here",
    "plan": "simulate base --plan nothing.toml",
    "plan-broken": "simulate base --plan broken.toml",
    "plan-bits": "simulate base --plan tiny.toml --bits 3",
    "bits": "simulate base --bits 1",
    "bits-0": "simulate base --bits 0",
    "format": "simulate base --weight-format q3",
    "scale": "simulate base --scale larger",
    "percentile": "simulate base --scale percentile:200",
    "accumulator": "simulate base --accumulator x18",
    "twice": "simulate base --accumulator s18.10 --accumulator-bits 16",
    "rounding": "simulate base --rounding up",
    "stochastic-states": "simulate base --state-format s3.3:STOCHASTIC",
    "sweep-rounding": "sweep base --rounding UP",
    "sweep-tensors": "sweep base --tensors h9",
    "sweep-bits": "sweep base --bits 8-2",
    "compare-one": "compare base --plan bits=8",
    "compare-word": "compare base --plan bits=8 --plan bit=4",
    "compare-value": "compare base --plan bits=8 --plan bits=many",
    "set": "train --set rule.mu",
    "set-key": "train --set rule.nu=1 --dry-run",
    "set-value": "train --set rule.mu=-1 --dry-run",
    "exists": "train --data digits5k --passes 1 --run base",
    "resume-options": "train --resume base --passes 3",
    "resume-none": "train --resume nothing-here",
    "seeds": "train --seeds 3-1",
    "missing-data": "train --data usps --passes 1",
    "wrong-size": "train lenet5 --data digits5k --set preparation=bipolar16",
    "broken-network": "show network broken.toml",
    "broken-chip": "show chip mine.toml",
    "import-file": "import nothing.npz",
    "import-broken": "import words.npz --data digits5k",
    "import-names": "import arrays.npz --data digits5k",
    "rename": "import arrays.npz --rename x",
    "reproduce": "reproduce lecun1999",
    "reproduce-data": "reproduce karpathy2022",
    "fetch": "data fetch usp",
    "fetch-offline": "data fetch usps",
    "path-embedded": "data path digits5k",
    "rise": "allocate base --rise 0",
    "digit": "evaluate base --arrays a.npz --digit 5000",
    "shell": "completion csh",
    "report-both": "report base --network lenet1",
}


def _training() -> dict[str, str]:
    short = "--data digits5k --passes 1 --json"
    seeds = "train fc40 --data digits5k --passes 1 --set take=200 --seeds 0-1 --jobs 1 --runs seeds"
    found = {
        "train-base": f"train --run base {short}",
        "train-text": "train --passes 2 --set take=400 --run text --history 100",
        "train-resume": "train --resume text",
        "train-resume-json": "train --resume text --json --quiet",
        "train-dry": "train lenet5 --data digits5k --dry-run --json",
        "train-seeds": f"{seeds} --json",
        "train-seeds-text": f"{seeds} --quiet",
        "train-named": f"train --set take=100 --runs named {short}",
    }
    return found | {
        f"train-{name}": f"train {words} --run {name} {short}" for name, words in SETTINGS.items()
    }


def _looking() -> dict[str, str]:
    found = {
        "evaluate-json": "evaluate base --json",
        "evaluate-details": "evaluate base --details",
        "evaluate-arrays": "evaluate base --arrays arrays.npz --digit 7 --quiet",
        "evaluate-lenet5": "evaluate lenet5 --json",
        "evaluate-double": "evaluate double --json",
        "evaluate-latest": "evaluate --runs named --json",
        "rates-json": "rates --data digits5k --lots 5 --lot 20 --json",
        "rates-text": "rates lenet1 --data digits5k --lots 5 --lot 20",
        "import-json": "import weights.safetensors --data digits5k --run imported --json",
        "import-text": "import weights.safetensors --run imported --force",
        "import-simulated": "simulate imported --bits 8 --json",
        "version": "--version",
        "list-data": "data list --json",
        "list-data-text": "data list",
        "data-path": "data path",
        "data-path-json": "data path usps --json",
        "data-verify": "data verify digits5k --json",
        "data-verify-text": "data verify digits5k",
    }
    for shell in ("bash", "zsh", "fish"):
        found[f"completion-{shell}"] = f"completion {shell}"
    named = {"recipe": RECIPES, "network": NETWORKS, "chip": CHIPS}
    for kind, names in named.items():
        found[f"show-{kind}s"] = f"show {kind}s --json"
        found[f"show-{kind}s-text"] = f"show {kind}s"
        for name in names:
            found[f"show-{kind}-{name}"] = f"show {kind} {name} --json"
            found[f"show-{kind}-{name}-text"] = f"show {kind} {name}"
    return found


def _simulating() -> dict[str, str]:
    found = {f"simulate-{name}": f"simulate base {words} --json" for name, words in PLANS.items()}
    for name in ("tiny", "lenet5", "lenet1", "softmax", "adamw", "fc40", "double"):
        found[f"simulate-run-{name}"] = f"simulate {name} --bits 6 --json"
    found["simulate-text"] = "simulate base --bits 5"
    found["simulate-text-acc"] = "simulate base --bits 8 --accumulator-bits 14"
    for name, words in ON_CHIPS.items():
        found[f"chip-{name}"] = f"simulate base --chip {words} --json"
    for name in ("anna", "net32k", "precisions", "dsp80", "graf54"):
        found[f"chip-{name}-text"] = f"simulate base --chip {ON_CHIPS[name]}"
    found["chip-lenet5"] = "simulate lenet5 --chip dsp32c-80ns --json"
    found["chip-tiny"] = "simulate tiny --chip dsp32c-80ns --json"
    for name in ("8", "ternary", "map", "acc", "file"):
        found[f"plan-{name}"] = f"show plan base {PLANS[name]} --json"
        found[f"plan-{name}-toml"] = f"show plan base {PLANS[name]} --toml"
    found["plan-text"] = "show plan base --bits 6"
    return found


def _studying() -> dict[str, str]:
    sweep = "sweep base --bits 3,6 --jobs 1 --tensors"
    found = {
        "sweep-json": f"{sweep} all,weights,states,sums,layers --json",
        "sweep-modes": f"{sweep} all,h2 --rounding TRN,RND_CONV,STOCHASTIC "
        "--scale mse,max-abs/map --seeds 0-1 -o modes.jsonl",
        "sweep-csv": f"{sweep} all,sums --format csv",
        "sweep-markdown": f"{sweep} all,sums --format markdown --quiet",
        "sweep-lenet1": "sweep lenet1 --bits 4 --tensors all,sums --jobs 1 --json",
        "allocate-json": "allocate base --bits 4 --json",
        "allocate-text": "allocate base --bits 4 --minimise mac-bits --rise 40",
        "compare-json": "compare base --plan bits=8 --plan 'bits=4 scale=mse' --json",
        "compare-text": "compare base --plan file.toml --plan 'bits=8 accumulator-bits=14'",
        "compare-same": "compare base --plan bits=8 --plan bits=8 --worst 0 --json",
        "retrain-json": "retrain text --passes 1 --run retrained --json",
        "retrain-text": "retrain text --weight-format '{-1,0,1}' --scale threshold:0.7 --state-bits 8 "
        "--passes 1 --layers last --run ternary",
        "retrain-simulated": "simulate retrained --plan retrained/plan.toml --json",
        "retrain-sums": "retrain text --bits 6 --accumulator-bits 14 --passes 1 --run sums --json",
        "report-all": "report --json",
        "report-all-text": "report",
        "report-run": "report lenet1 --chip anna --chip net32k --weight-bits 4 --state-bits 2 --json",
        "report-alone": "report --chip anna --chip-alone --images-per-load 8 --network lenet5 --json",
        "report-csv": "report --format csv",
        "report-markdown": "report --format markdown --network fc40",
    }
    for name in CHIPS:
        found[f"report-{name}"] = f"report --chip {name} --json"
        found[f"report-{name}-text"] = f"report --chip {name}"
    return found


CASES = {
    **_training(),
    **_looking(),
    **_simulating(),
    **_studying(),
    **{f"error-{name}": words for name, words in ERRORS.items()},
    **{f"help-{words.replace(' ', '-')}": f"{words} --help" for words in COMMANDS},
}
"""Name and command, in the order in which they are run."""

MAKES = {
    words[words.index("--run") + 1]: name
    for name, words in ((name, case.split()) for name, case in CASES.items())
    if "--run" in words and name.startswith(("train-", "import-json", "retrain-"))
} | {"named": "train-named", "arrays.npz": "evaluate-arrays"}
"""The case that makes each folder or file which others read."""
