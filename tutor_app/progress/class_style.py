"""The style sheet of the class report."""

STYLE = """
:root{--ink:#1c1e21;--soft:#5a6067;--page:#fff;--line:#d9dde2;--bar:#1f5fa8;--track:#eceff3}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a9b0b8;--page:#17191c;--line:#3a3f45;--bar:#7fb2ee;
--track:#2a2e33}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.35rem;margin:2rem 0 .5rem;border-bottom:2px solid var(--line)}
h3{font-size:1.1rem;margin:1.5rem 0 .5rem}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;padding:0;list-style:none}
figure{margin:.5rem 0}figcaption{color:var(--soft)}
svg{width:100%;max-width:36rem;height:auto;font:13px system-ui,sans-serif;fill:var(--ink)}
.bar{fill:var(--bar)}.track{fill:var(--track)}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;min-width:20rem}caption{text-align:left;color:var(--soft);padding-bottom:.25rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;font-weight:400;vertical-align:top}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--page)}
thead th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}
summary{cursor:pointer;padding:.5rem 0}details{border-bottom:1px solid var(--line)}
@media print{details>*{display:block}.scroll{overflow:visible}}
""".strip()
