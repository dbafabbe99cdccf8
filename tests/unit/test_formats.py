from hpms.results.formats import FORMATS


def test_a_text_is_no_formula_of_a_spreadsheet():
    header, rows = ["experiment", "error"], [["=cmd()", "-1.5"], ["@x", "+1"], ["osc1d", "3"]]
    assert FORMATS["csv"](header, rows).splitlines()[1:] == ["'=cmd(),-1.5", "'@x,'+1", "osc1d,3"]
