#include "client/report/html_style.h"

namespace socketeer::report {

const char* const kPageStyle = R"css(
:root { color-scheme: light dark;
  --paper: #fff; --raised: #f6f7f9; --line: #dde1e6; --ink: #1c2430; --faint: #5f6b7a;
  --good: #1a7f4b; --bad: #c62331; --bad-paper: #fdf0f0; --odd: #9a6200;
  --does: #5b6ee1; --data: #0f8a9d; --waits: #b9a7e6; --arrow: #8793a3; --mark: #1c2430; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14181e; --raised: #1c222a; --line: #323b47; --ink: #e4e8ee; --faint: #98a4b3;
  --good: #4cc38a; --bad: #ff6b74; --bad-paper: #2c191d; --odd: #e0a84a;
  --does: #8794f5; --data: #3fb8ca; --waits: #6a5b96; --arrow: #77859a; --mark: #fff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1400px; padding: 28px 24px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; margin: 0 0 2px; line-height: 1.25; }
h2 { font-size: 17px; margin: 34px 0 10px; }
h3 { font-size: 13px; margin: 22px 0 6px; color: var(--faint); font-weight: 600; }
p { margin: 4px 0; }
a { color: inherit; }
code, pre, .mono, .file { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12.5px; }
.faint, .file, footer { color: var(--faint); }
.good { color: var(--good); } .bad { color: var(--bad); } .odd { color: var(--odd); }
.strip { display: flex; height: 8px; margin: 14px 0 6px; border-radius: 4px; overflow: hidden; background: var(--line); gap: 2px; }
.strip span { min-width: 4px; } .strip .good { background: var(--good); } .strip .bad { background: var(--bad); }
.strip .skip { background: var(--faint); }
.chip { display: inline-block; padding: 1px 9px; border-radius: 10px; font-size: 12px; font-weight: 600; white-space: nowrap;
  color: var(--paper); background: var(--faint); }
.chip.good { background: var(--good); color: var(--paper); } .chip.bad { background: var(--bad); color: var(--paper); }
.tag { display: inline-block; padding: 0 7px; border: 1px solid var(--line); border-radius: 9px; font-size: 12px; color: var(--faint); }
.name, td, pre { unicode-bidi: isolate; overflow-wrap: anywhere; }
.name { font-weight: 600; }
details.scenario { border: 1px solid var(--line); border-radius: 8px; margin: 12px 0; background: var(--paper); }
details.scenario.failed { border-left: 4px solid var(--bad); }
details.scenario .inside { padding: 2px 18px 18px; }
summary { cursor: pointer; }
details.scenario summary.top { padding: 10px 18px; display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: baseline; }
summary.top .right { margin-left: auto; color: var(--faint); font-size: 13px; }
summary:focus-visible { outline: 2px solid var(--does); outline-offset: 2px; }
pre.message { margin: 6px 0 12px; padding: 10px 14px; white-space: pre-wrap; border-radius: 6px; background: var(--bad-paper);
  border-left: 3px solid var(--bad); }
.scroll { overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
.diagram { max-height: 92vh; background: var(--paper); }
svg { display: block; } svg text { fill: var(--ink); }
svg.heads { position: sticky; top: 0; background: var(--raised); border-bottom: 1px solid var(--line); min-width: 100%; }
svg .head { font: 600 14px system-ui, "DejaVu Sans", sans-serif; } svg .head.runner { font-style: italic; }
svg .title { font: 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
svg .sub { font: 10.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--faint); }
svg .reason, svg .why { font: 600 11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
svg .why { font: 10.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--bad); }
svg .doubt { fill: var(--odd); }
svg .time { font: 10.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--faint); text-anchor: end; }
svg .paper { fill: var(--paper); opacity: .86; } svg .bad .paper { fill: var(--bad-paper); opacity: 1; }
svg .life { stroke: var(--line); stroke-width: 1.5; fill: none; }
svg .bar { fill: var(--does); } svg .data .bar { fill: var(--data); } svg .waits .bar { fill: var(--waits); }
svg .errno .bar { fill: var(--odd); } svg .errno .reason { fill: var(--odd); }
svg .bad .bar { fill: var(--bad); } svg .bad .title, svg .bad .reason { fill: var(--bad); font-weight: 600; }
svg .cross { stroke: var(--bad); stroke-width: 2.5; fill: none; stroke-linecap: round; }
svg .mark { fill: var(--paper); stroke: var(--mark); stroke-width: 1.3; }
svg .lead { stroke: var(--line); fill: none; }
svg .arrow path { stroke: var(--arrow); stroke-width: 1.3; fill: none; } svg .arrow.bytes path { stroke: var(--data); }
svg .arrow.end path { stroke-dasharray: 4 3; } svg .arrow .tip { fill: var(--arrow); stroke: none; }
svg .arrow.bytes .tip { fill: var(--data); stroke: none; }
svg .band { fill: var(--raised); } svg .band.leftout, svg .band.cleanup { stroke: var(--line); stroke-dasharray: 3 3; }
svg .bandtext { font: italic 11px system-ui, "DejaVu Sans", sans-serif; fill: var(--faint); }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; font-weight: 600; color: var(--faint); white-space: nowrap; background: var(--raised); }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
ul { margin: 4px 0; padding-left: 20px; } .legend { font-size: 12px; color: var(--faint); margin: 6px 2px; }
.legend i { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin: 0 4px 0 10px; }
.legend i.square { transform: rotate(45deg) scale(.8); border: 1.3px solid var(--mark); border-radius: 0; }
footer { margin-top: 40px; font-size: 12.5px; }
@media print { .diagram { max-height: none; } .scroll { overflow: visible; } }
)css";

}  // namespace socketeer::report
