"""The style sheet of a page, for screen and paper."""

STYLE = """
:root { --ink: #1d2430; --soft: #5a6472; --line: #d5dae1; --band: #f5f7f9; --link: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 1.3rem 0 .4rem; }
p { max-width: 52rem; margin: .5rem 0; }
p.note, figcaption { color: var(--soft); font-size: .87rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
nav { margin: 1.1rem 0 0; } nav a { margin-right: .9rem; color: var(--link); }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .28rem .7rem .28rem .4rem; white-space: nowrap; }
th { white-space: normal; border-bottom: 1px solid var(--ink); font-weight: 600; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); }
td:last-child:not(.n) { white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
td.long { white-space: normal; overflow-wrap: anywhere; min-width: 20rem; }
th.n, td.n { text-align: right; }
tbody tr:nth-child(even) { background: var(--band); }
tr.beside td { font-style: italic; }
td.status { font-weight: 600; } tr.finished .status { color: #00674b; } tr.trapped .status { color: #8a4b00; }
tr.failed .status { color: #b3261e; } tr.running .status { color: #00598c; }
tr.interrupted .status { color: #8a4b00; }
pre { font: .82rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--band); padding: .55rem .7rem; margin: .4rem 0; border-left: 3px solid var(--line); }
details { margin: .6rem 0; } summary { cursor: pointer; font-weight: 600; }
figure { margin: .8rem 0 1.4rem; } img { display: block; max-width: 100%; height: auto; }
@media print {
  body { font-size: 9.5pt; padding: 0; max-width: none; } nav { display: none; }
  .wide { overflow: visible; } table { font-size: 7pt; }
  th, td, td.long, td:last-child:not(.n) { white-space: normal; overflow-wrap: anywhere; min-width: 0;
    padding: .2rem .4rem; }
  th.n, td.n { white-space: nowrap; }
  tr, figure, pre { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  figure img { max-height: 23cm; width: auto; }
}
"""
