"""How every HTML report looks, on a screen by day and by night and on A4, and what it does."""

from __future__ import annotations

STYLE = """
:root{--ink:#1c2127;--soft:#545d68;--paper:#fff;--line:#d5dae0;--band:#f3f5f7;--link:#0a58b0;
--flag:#fff6e0;--flagged:#b97600;--site:#fdeedd;color-scheme:light dark}
body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);
background:var(--paper);margin:0;counter-reset:figure table}
main{max-width:1080px;margin:0 auto;padding:1.5rem 1.25rem 4rem}
.brand{color:var(--soft);font-size:.85rem;letter-spacing:.04em;margin:0}
h1{font-size:1.75rem;line-height:1.25;margin:.3rem 0 .2rem}
h2{font-size:1.3rem;margin:2.4rem 0 .6rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3{font-size:1.08rem;margin:1.8rem 0 .4rem}h4{font-size:1rem;margin:1.4rem 0 .3rem}
p{margin:.5rem 0;max-width:75ch}a{color:var(--link)}
.of{color:var(--soft)}.lead{font-size:1.08rem}
code{overflow-wrap:anywhere;font-size:.92em}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}
.tiles div{border:1px solid var(--line);border-radius:8px;padding:.5rem .8rem;flex:1 1 8.5rem}
.tiles dt{color:var(--soft);font-size:.8rem}
.tiles dd{margin:0;font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles dd+dd{font-size:.8rem;font-weight:400;color:var(--soft)}
.flag{background:var(--flag);border-left:4px solid var(--flagged);padding:.35rem .8rem;
margin:.35rem 0}
figure{margin:1.4rem 0}figcaption{color:var(--soft);font-size:.88rem;max-width:85ch}
.drawn figcaption::before{counter-increment:figure;content:"Figure " counter(figure) ". ";
font-weight:600;color:var(--ink)}
.tabled figcaption::before{counter-increment:table;content:"Table " counter(table) ". ";
font-weight:600;color:var(--ink)}
.tabled figcaption{margin-bottom:.4rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.82rem;line-height:1.35;min-width:30%}
th,td{padding:.22rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{vertical-align:bottom;border-bottom:2px solid var(--soft)}
td:first-child{min-width:9em}.dense td:first-child{min-width:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}th.n{white-space:normal}
tbody tr:nth-child(even){background:var(--band)}tbody tr.site{background:var(--site)}
.site td{font-weight:600}
.dense table{font-size:.76rem}.dense th,.dense td{padding:.12rem .4rem}
.facts th{font-weight:400;color:var(--soft);width:21rem}.facts td{overflow-wrap:anywhere}
.terms dt{font-weight:600;margin-top:.5rem}.terms dd{margin:0 0 0 1.2rem;max-width:80ch}
.columns{columns:2 24rem;font-size:.85rem}.columns div{break-inside:avoid}
.columns dt{font-family:ui-monospace,monospace}.columns dd{margin:0 0 .35rem 1rem}
.drawn .plot{padding-top:30px;overflow-x:auto}
.plot .modebar-container{top:-30px!important}
.view3d canvas{border-radius:8px}.view3d button{font:inherit;color:inherit;cursor:pointer;
background:none;border:1px solid var(--soft);border-radius:6px;padding:.2rem .7rem}
.picture,.unseen{display:none}
@media screen and (max-width:700px){.tabled:not(.dense) table{min-width:44rem}
.plot>div{min-width:36rem}}
@media screen and (prefers-color-scheme:dark){
:root{--ink:#e7eaee;--soft:#a8b1bc;--paper:#15181d;--line:#363d46;--band:#1c2026;--link:#7db7ff;
--flag:#352b12;--flagged:#e0a339;--site:#3a2c1a}
.plot .main-svg{background:none!important}
.plot .bglayer .bg,.plot .legend .bg{fill:none!important}
.plot .gridlayer path,.plot .zerolinelayer path{stroke:var(--line)!important}
.plot .infolayer text,.plot .cartesianlayer text{fill:var(--ink)!important}
.plot .modebar-btn path{fill:var(--soft)!important}
}
@media print{
@page{size:A4;margin:15mm 13mm 17mm;@bottom-right{content:counter(page) " / " counter(pages);
font:8pt system-ui,sans-serif}}
@page broad{size:A4 landscape}.broad{page:broad}
:root{color-scheme:light}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
html{font-size:9.5pt}body{font-size:1rem}main{max-width:none;padding:0}
p,figcaption{max-width:none}.columns{columns:2 auto}
h1,h2,h3,h4,dt,.tabled figcaption{break-after:avoid}
tr,.tiles,.flag,.drawn,dd{break-inside:avoid}thead{display:table-header-group}
.several .variant+.variant{break-before:page}
.wide{overflow:visible}table{font-size:7.2pt}.dense table{font-size:6.2pt}
th,td{padding:.12rem .3rem}.dense th,.dense td{padding:.06rem .22rem}
.facts th{width:54mm}
.drawn .plot{zoom:.62;padding-top:0;overflow:visible}.modebar-container{display:none!important}
.view3d>div{display:none}
.picture[src]{display:block;width:115mm;margin:0 auto}.picture:not([src])+.unseen{display:block}
a{color:inherit;text-decoration:none}
}
"""
"""Figures are drawn for a screen and shrunk on paper; a table is whole on both."""

SCRIPT = """
document.querySelectorAll('.view3d').forEach(function (box) {
  var place = box.querySelector('[id^="3dmolviewer_"]'), picture = box.querySelector('.picture');
  var night = matchMedia('(prefers-color-scheme: dark)'), tries = 0;
  function view() { return place && window['viewer_' + place.id.split('_')[1]]; }
  function paint(colour) { view().setBackgroundColor(colour); view().render(); }
  function take() {
    paint('white');
    picture.src = view().pngURI();
    paint(night.matches ? '#15181d' : 'white');
  }
  function begin() {
    if (view() && view().pngURI) {
      setTimeout(take, 300);
      box.addEventListener('pointerup', take);
      night.addEventListener('change', take);
    } else if (++tries < 100) setTimeout(begin, 100);
  }
  begin();
});
"""
"""Keeps a picture of each 3D view for the printer, as it was last turned."""
