import pytest

LAYERED = ("reference.method=layered", "coefficient=layered", "source=constant", "problem.dim=2")
WRONG = [
    (["trian"], "'trian' is not a verb", "Did you mean 'train'?"),
    (["train", "problem.epps=0.1"], "'problem.epps' is not a key", "Did you mean 'eps'?"),
    (["train", "+problem.epps=0.1"], "'problem.epps' is not a key", "Did you mean 'problem.eps'?"),
    (["train", "coupling=none", "coupling.interval=3"], "not a key of coupling=none", "It has no keys."),
    (["train", "optimizer=soap", "optimizer.refres=3"], "not a key of optimizer=soap", "Did you mean 'refresh'?"),
    (["train", "--seed=1"], "--seed=1 is not a flag", "write seed=1."),
    (["train", "+experiment=osc1d", "+experiment=osc2d"], "experiment is given more than once", "keep one of them."),
    (["train", "+nonsense=1"], "'nonsense' is not a key", ""),
    (["train", "problem.eps=abc"], "problem.eps=abc is not allowed", "number"),
    (["train", "problem.eps=0"], "problem.eps=0", "at least 1e-09"),
    (["train", "problem.eps=-1/15"], "problem.eps=", "at least 1e-09"),
    (["train", "problem.dim=4"], "problem.dim=4 is not allowed", "1 or 2 or 3"),
    (["train", "seed=1.5"], "seed=1.5 is not allowed", "whole number"),
    (["train", "seed=-1"], "seed=-1 is not allowed", "0"),
    (["train", "coupling.delta=0"], "coupling.delta=0", "greater than 0"),
    (["train", "coupling.delta=1e-5"], "coupling.delta=1e-05 is too small", "collocation.interior_points=2000"),
    (["train", "coupling.delta=2"], "coupling.delta=2", "domain"),
    (["train", "coupling.update=sometimes"], "coupling.update=sometimes", "lazy or every_step"),
    (["train", "collocation.interior_points=0"], "collocation.interior_points=0", "at least 1"),
    (["train", "coarse.h=0"], "coarse.h=0", "at least 1e-09"),
    (["train", "runtime.precision=float16"], "runtime.precision=float16", "float32 or float64"),
    (["train", "network.scales=[]"], "network.scales=[]", "at least one"),
    (["train", "coarse.h=1e-7"], "coarse.h=1e-07", "at most 1e+06 nodes"),
    (["train", "coupling.delta=min(eps,0.1)"], "cannot be read", "quotes inside quotes"),
    (["train", "output=/dev/null/x"], "output=/dev/null/x", "can be written to"),
    (["train", "plugins=[.x]"], "plugins=[.x]", "cannot be imported"),
    (["train", "runtime.platform=gpu"], "runtime.platform=gpu", "no such device"),
    (["train", "network=mpl"], "network=mpl is not an option", "Did you mean 'mlp'?"),
    (["train", "+experiment=osc3d"], "+experiment=osc3d is not an option", "osc2d"),
    (["train", "experiment=osc1d"], "+experiment=NAME", ""),
    (["train", "optimizer=lbfgs", "collocation=resampled"], "collocation=resampled", "take uniform"),
    (["train", "optimizer=ssbroyden", "network.width=200"], "optimizer=ssbroyden", "at most 10000 parameters"),
    (["train", "optimizer=gauss_newton", "network.width=1000", "collocation.interior_points=1000000"], "GB", "smaller"),
    (["train", "network=two_scale", "network.periods=[0.1,0.1]"], "network.periods=[0.1, 0.1]", "one per axis"),
    (["train", "network=fbpinn", "network.overlap=0"], "network.overlap=0 is not allowed", "at least 0.05"),
    (["train", "network=fbpinn", "network.subdomains=[]"], "network.subdomains=[]", "one per axis, or one for all"),
    (["train", "network=fbpinn", "network.subdomains=[2,2]"], "network.subdomains=[2, 2]", "1 numbers, one per axis"),
    (["train", "network=fbpinn", "network.subdomains=[0]"], "network.subdomains[0]=0", "at least 1"),
    (
        ["train", "network=fbpinn", "network.coarse_subdomains=[2001]"],
        "coarse_subdomains=[2001]",
        "=2000: give at most",
    ),
    (["train", "ensemble=0"], "ensemble=0", "at least 1"),
    (["train", "ensemble=2", "run_dir=x"], "run_dir=x", "leave it out"),
    (["train", "coupling.schedule=later"], "coupling.schedule=later", "constant or until"),
    (["train", "coupling=consistent", "problem.eps=0.95"], "coupling.box_periods=1 is not allowed", "sides up to"),
    (["train", "coupling=consistent", "coupling.points=3"], "coupling.points=3", "at least 4"),
    (["train", "coupling=consistent", "coupling.points=100000"], "coupling.points=100000", "at most 1000"),
    (["train", "+experiment=osc2d", "coupling=consistent", "coupling.points=1000"], "points=1000", "are allowed"),
    (["train", "problem.eps=1/15,0.01"], "several values", "-m"),
    (
        ["train", "problem=box", "coefficient=osc2d"],
        "the source has to be chosen",
        "source=constant source.constants.q=1",
    ),
    (
        ["check", "problem=box", "source=constant"],
        "the coefficient has to be",
        "coefficient=constant coefficient.constant",
    ),
    (["train", "problem=box", "source.formula=x1"], "has to be chosen with this problem", "source=expression"),
    (
        ["train", "problem=box", "coefficient=osc2d", "source.constants.q=5"],
        "the source has to be chosen",
        "source=con",
    ),
    (["train", "source=5"], "source=5 is not an option", "write source=constant source.constants.q=5."),
    (
        ["check", "coefficient=7.5e3"],
        "=7.5e3 is not an option",
        "write coefficient=constant coefficient.constants.k=7.5e3.",
    ),
    (["train", "source=1+x1"], "source=1+x1 is not an option", "write source=expression source.formula='1+x1'."),
    (["train", "problem.conditions={left:1,", "all:{neumann:0}}"], "all:{neumann:0}} cannot be read", "single quotes"),
    (
        ["train", "problem.conditions=left:1", "problem.conditions=all:2"],
        "problem.conditions is given in pieces",
        "quotes.",
    ),
    (
        ["train", "coefficient=rock"],
        "coefficient=rock is not an option",
        "--config-dir FOLDER (in Python config_dir=FOLDER)",
    ),
    (["train", "coefficient=expression"], "coefficient.formula has no value", "give coefficient.formula="),
    (["train", "coefficient=expression", "coefficient.formula=2+sinn(x1)"], "'sinn'", "Did you mean 'sin'?"),
    (["train", "coefficient=expression", "coefficient.formula=2+x2"], "'x2'", "unknown"),
    (["train", "coefficient=expression", "coefficient.formula=__import__('os')"], "'__import__'", "function"),
    (["train", "coefficient=expression", "coefficient.formula=sin(2*pi*x1/eps)"], "must be positive", "K("),
    (["train", "coefficient.periods=[eps/3]"], "coefficient.periods", "does not repeat"),
    (["train", "source=expression", "source.formula=1/(x1-x1)"], "source must be finite", ""),
    (["train", "plugins=[no_such_module]"], "plugins=[no_such_module]", "cannot be imported"),
    (["train", "reference.method=exact", "problem.dim=2", "coefficient=constant"], "reference.method=exact", "dim=1"),
    (["train", "reference.h=1e-9"], "reference.h=1e-09", "unknowns"),
    (["train", *LAYERED, "problem.dim=1"], "reference.method=layered", "problem.dim=2 or 3"),
    (["train", *LAYERED, "coefficient=constant"], "coefficient.periods=null", "period of x1"),
    (["train", *LAYERED, "reference.h=1e-9"], "reference.h=1e-09", "nodes per period"),
    (["train", *LAYERED, "coefficient.axis=2"], "reference.method=layered", "varies along x2"),
    (["train", *LAYERED, "source=osc2d"], "reference.method=layered", "source is not constant"),
    (["consistency", *LAYERED], "reference.method=layered", "take auto, p2 or p1"),
    (["evaluate", "run=nowhere"], "nowhere is not a run", "run.h5"),
    (["evaluate"], "run has no value", "give run="),
]


@pytest.mark.parametrize(("arguments", "says", "helps"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_a_wrong_input_is_one_sentence(hpms, tmp_path, arguments, says, helps):
    code, out, err = hpms(*arguments)
    complaints = [line for line in err.splitlines() if line.startswith("hpms")]
    assert code != 0
    assert len(complaints) == 1, err
    assert says in complaints[0]
    assert helps in complaints[0]
    assert "Traceback" not in err + out
    assert not (tmp_path / "outputs" / "train").exists()


@pytest.mark.thorough
def test_a_coarse_mesh_wider_than_eps_is_a_warning(hpms, tiny):
    code, _, err = hpms("train", *tiny, "coarse.h=1/3")
    assert code == 0
    assert "coarse.h=0.333333 is larger than problem.eps=0.25" in err
