#pragma once

#include <string_view>

namespace segue::page {

/// The one style sheet. Colours are variables: the chart's marks name a series
/// (c0 to c5), never a colour. Series colours have a contrast of at least 3:1 on
/// their background, and stay apart under red-green and blue-yellow blindness.
inline constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --page: #f4f6f9; --card: #ffffff; --ink: #15202e; --dim: #56657a; --line: #d5dde6; --grid: #e6ebf1;
  --note: #fff6e0; --note-line: #c98a00; --on: #ffffff; --mid: #0b1016;
  --c0: #1567b4; --c1: #d05a00; --c2: #00806b; --c3: #a3418f; --c4: #836400; --c5: #5b6b7f; }
@media (prefers-color-scheme: dark) { :root { --page: #0f151c; --card: #18212c; --ink: #e8edf3; --dim: #9dabbb; --line: #33404f; --grid: #263240;
  --note: #332a12; --note-line: #e0a526; --on: #0b1016;
  --c0: #62aef7; --c1: #ff9a4d; --c2: #3cc7a8; --c3: #e391d3; --c4: #dcbc50; --c5: #9dabbb; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 28px 20px 48px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0; font-size: 27px; line-height: 1.25; letter-spacing: -0.01em; } h2 { margin: 0 0 4px; font-size: 19px; line-height: 1.3; }
p { margin: 0 0 12px; max-width: 76ch; } .lead, footer, caption, .note { color: var(--dim); }
header { margin-bottom: 18px; } header .lead { margin: 4px 0 12px; max-width: none; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; } a { color: var(--c0); text-decoration: none; } a:hover { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px 14px; margin-bottom: 18px; }
section > * + .scroll, section > * + figure, section > * + .beside { margin-top: 14px; }
.warning { background: var(--note); border-left: 4px solid var(--note-line); border-radius: 4px; padding: 8px 12px; max-width: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 14px 22px; margin: 10px 0 16px; }
.tiles dt { color: var(--dim); font-size: 13px; } .tiles dd { margin: 0; font-size: 23px; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.tiles dd.note { font-size: 13px; font-weight: 400; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, var(--least)), 1fr)); gap: 18px 26px; margin-bottom: 12px; } .beside > div { min-width: 0; }
.scroll { overflow-x: auto; margin-bottom: 12px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 6px; } td, th { text-align: left; padding: 5px 14px 5px 0; vertical-align: top; white-space: nowrap; }
tr > :last-child { padding-right: 0; } thead th { color: var(--dim); font-weight: 600; border-bottom: 1px solid var(--line); } thead th[title] { text-decoration: underline dotted; text-underline-offset: 3px; }
tbody th { font-weight: 400; } tbody tr + tr > * { border-top: 1px solid var(--grid); } tr.strong > * { font-weight: 600; } .n { text-align: right; }
td:not(.n) { white-space: normal; } .n + td:not(.n) { padding-left: 14px; } .n + th:not(.n) { padding-left: 14px; } details { margin: 8px 0 12px; } summary { cursor: pointer; color: var(--c0); margin-bottom: 8px; }
figure { margin: 0 0 12px; overflow-x: auto; overflow-y: hidden; } figcaption { font-weight: 600; margin-bottom: 4px; } svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; fill: var(--ink); }
svg .dim { fill: var(--dim); } svg .grid { stroke: var(--grid); stroke-width: 1; } svg .axis { stroke: var(--dim); stroke-width: 1; } svg .zero { stroke: var(--dim); stroke-width: 1.5; }
svg .s { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } svg .reference { fill: none; stroke: var(--dim); stroke-width: 1.2; stroke-dasharray: 5 4; }
svg .band { fill-opacity: 0.18; stroke: none; } svg .under { fill-opacity: 0.24; stroke: none; } svg text.on { fill: var(--on); } svg text.mid { fill: var(--mid); }
svg .f0 { fill: var(--c0); } svg .f1 { fill: var(--c1); } svg .f2 { fill: var(--c2); } svg .f3 { fill: var(--c3); } svg .f4 { fill: var(--c4); } svg .f5 { fill: var(--c5); }
svg .l0 { stroke: var(--c0); } svg .l1 { stroke: var(--c1); stroke-dasharray: 9 3; } svg .l2 { stroke: var(--c2); stroke-dasharray: 2 4; } svg .l3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; }
svg .l4 { stroke: var(--c4); stroke-dasharray: 5 3; } svg .l5 { stroke: var(--c5); } svg .whole { stroke-dasharray: none; }
footer { font-size: 13px; }
@media print { :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --dim: #444; --line: #bbb; --grid: #ddd; --note: #fff; --note-line: #c98a00; --on: #fff;
  --c0: #1567b4; --c1: #d05a00; --c2: #00806b; --c3: #a3418f; --c4: #836400; --c5: #5b6b7f; }
  body { max-width: none; padding: 0; font-size: 11px; } nav { display: none; } section { border: 0; padding: 8px 0; } h2, figcaption { break-after: avoid; } figure, tr, .tiles { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .scroll, figure { overflow: visible; } svg { min-width: 0 !important; } td, th { white-space: normal; padding-right: 8px; } details::details-content { content-visibility: visible; display: block; } }
)css";

}  // namespace segue::page
