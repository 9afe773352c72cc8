"""How the report looks: one column on a phone, dark where the reader wants it dark, printable."""

from __future__ import annotations

_LIGHT = ("#1f5f99", "#b3530a", "#2a7a45", "#8a2d6b", "#6a5a00", "#5b3fa0", "#0f7078", "#8f1f1f")
_DARK = ("#7db8ee", "#f2a766", "#7fcf9a", "#e59ac9", "#d9c65a", "#b7a3f0", "#74ccd4", "#f09a9a")
"""At least 4.5 : 1 against the page, light and dark."""


def _series(colours: tuple[str, ...]) -> str:
    return "".join(
        f".s{i}.dot,.s{i}.end{{fill:{one}}}.s{i}.whisker,.s{i}.curve{{stroke:{one}}}"
        for i, one in enumerate(colours)
    )


STYLE = f"""
:root{{color-scheme:light dark;--ink:#1c2126;--page:#fff;--soft:#5a6570;--line:#d5dade;--band:#f4f6f7;--good:#1d6b3a;--bad:#a12b1b}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}}
main{{max-width:1100px;margin:0 auto;padding:1.5rem 1rem 4rem}}
h1{{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}}h2{{font-size:1.25rem;margin:2.5rem 0 .5rem}}h3{{font-size:1rem;margin:1.5rem 0 .5rem}}
p,ul{{max-width:46rem}}
.wide{{overflow-x:auto;border:1px solid var(--line);border-radius:6px}}
table{{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}}
th,td{{padding:.4rem .7rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}}
tr:last-child>*{{border-bottom:0}}
thead th,thead td{{background:var(--band)}}
th[scope=row]{{text-align:left;font-weight:500;white-space:normal;min-width:9rem;position:sticky;left:0;background:var(--page)}}
td small,th small{{display:block;color:var(--soft);font-weight:400;font-size:.75rem}}
.met{{color:var(--good);font-weight:700}}.missed{{color:var(--bad);font-weight:700}}small.missed{{font-weight:400}}
abbr{{text-decoration:none}}
details{{margin:.6rem 0}}summary{{cursor:pointer;color:var(--soft)}}
dt{{font-weight:600;margin-top:.5rem}}dd{{margin:0}}
article{{border-left:3px solid var(--line);padding-left:1rem;margin:1.5rem 0}}.said{{font-size:1.05rem;margin:0}}
.plots{{display:grid;gap:1.2rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}}
figure{{margin:0}}figcaption{{font-size:.875rem;font-weight:600;margin-bottom:.2rem}}
svg{{width:100%;height:auto;display:block}}
svg text{{font:13px system-ui,sans-serif;fill:var(--ink)}}svg .small{{font-size:12px;fill:var(--soft)}}svg .value{{font-variant-numeric:tabular-nums}}
.axis,.grid{{stroke:var(--line);stroke-width:1}}.target{{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 4}}
.whisker{{stroke-width:3;stroke-linecap:round;opacity:.55}}.curve{{fill:none;stroke-width:2.2}}
{_series(_LIGHT)}
@media(prefers-color-scheme:dark){{
:root{{--ink:#e6eaed;--page:#14181b;--soft:#a3adb5;--line:#343b41;--band:#1d2327;--good:#86d6a0;--bad:#f2988a}}
{_series(_DARK)}
}}
@media(max-width:600px){{main{{padding:1rem .75rem 3rem}}table{{font-size:.8rem}}th,td{{padding:.3rem .45rem}}th[scope=row]{{min-width:6.5rem;max-width:7.5rem}}}}
@media print{{.wide{{overflow:visible}}details>*{{display:block}}}}
"""
