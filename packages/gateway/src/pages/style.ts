/**
 * The styles of all pages: colours, then layout. The ticket has a face (the file, its sender) and a stub (the end, the recipient), with a
 * perforation between them. No page has a style attribute, so that the policy of a page names this text by its hash.
 */
export const STYLE: string = `
:root{color-scheme:light dark;--bg:#f6f6f3;--sky:#e6ebfb;--card:#fff;--ink:#1b1d24;--mid:#5c6170;--line:#e5e5e0;--edge:#828694;--fill:#3350d1;--hov:#2943bb;--on:#fff;--link:#2f4bc7;--soft:#eceffb;--ok:#176b42;--okb:#e4f3eb;--warn:#835400;--warnb:#fcf0d6;--bad:#ad2e28;--badb:#fbe9e7;--sun:#f5a524;--dawn:#ffe7c2;--sh:#1b1d2412}
@media(prefers-color-scheme:dark){:root{--bg:#111318;--sky:#1a2038;--card:#1b1d24;--ink:#eceef4;--mid:#a4a9b8;--line:#2c2f39;--edge:#757a8a;--fill:#4763e4;--hov:#4059d6;--link:#a8b8ff;--soft:#242a44;--ok:#74d6a5;--okb:#163325;--warn:#f0c06a;--warnb:#352a12;--bad:#ff9d94;--badb:#3d1f1e;--dawn:#f5a5240f;--sh:#0008}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:radial-gradient(44rem 20rem at 84% -5rem,var(--dawn),#0000) no-repeat,linear-gradient(var(--sky),#0000 26rem) no-repeat var(--bg);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1,h2,p,dl,dd,ul,figure,blockquote{margin:0;padding:0}
h1{font-size:1.375rem;line-height:1.25;font-weight:650;letter-spacing:-.015em;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1rem;font-weight:600}
a{color:var(--link);text-underline-offset:.2em}
ul{list-style:none}
svg{width:1.25em;height:1.25em;fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round;flex:none}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.5rem}
.mid,small{color:var(--mid);font-size:.875rem}
.top{padding:1.25rem clamp(1rem,4vw,2rem)}
.brand{display:inline-flex;gap:.5rem;align-items:center;font-weight:700;letter-spacing:-.02em;color:inherit;text-decoration:none}
.brand svg{width:2rem;height:1.4rem;stroke:none}
main{flex:1;width:100%;max-width:32rem;margin:0 auto;padding:clamp(.5rem,7vh,5rem) 1rem 2rem}
footer{padding:1.5rem 1rem;text-align:center;font-size:.8125rem;color:var(--mid)}
.pass{filter:drop-shadow(0 0 1px var(--sh)) drop-shadow(0 8px 24px var(--sh))}
.face,.stub,.box{background:var(--card);padding:1.75rem}
.face{border-radius:1.25rem 1.25rem 0 0;--y:100%}
.stub{border-radius:0 0 1.25rem 1.25rem;--y:0;position:relative;padding-block:1.25rem}
.face,.stub{-webkit-mask:radial-gradient(circle at 0 var(--y),#0000 .6rem,#000 .63rem) left/51% 100% no-repeat,radial-gradient(circle at 100% var(--y),#0000 .6rem,#000 .63rem) right/51% 100% no-repeat;mask:radial-gradient(circle at 0 var(--y),#0000 .6rem,#000 .63rem) left/51% 100% no-repeat,radial-gradient(circle at 100% var(--y),#0000 .6rem,#000 .63rem) right/51% 100% no-repeat}
.stub::before{content:"";position:absolute;inset:-1px 1.25rem auto;height:2px;opacity:.4;background:repeating-linear-gradient(90deg,var(--edge) 0 6px,#0000 0 12px)}
.stub dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.75rem 1.25rem}
dt{font-size:.8125rem;color:var(--mid)}
dd{font-weight:600;overflow-wrap:anywhere}
dd small{display:block;font-weight:400}
.box{border-radius:1.25rem;box-shadow:0 0 0 1px var(--line),0 8px 24px var(--sh)}
.by{display:flex;gap:.625rem;align-items:center;margin-bottom:1.5rem}
.by i{width:2.25rem;height:2.25rem;border-radius:50%;display:grid;place-items:center;font:600 .8125rem/1 system-ui,sans-serif;background:var(--card);color:var(--link);box-shadow:0 0 0 1px var(--line);flex:none}
.it{display:flex;gap:1rem;align-items:center}.top-it{align-items:flex-start}.top-it .mid{margin-top:.25rem}
.it>div{min-width:0}
.k{display:grid;place-items:center;width:3.5rem;height:3.5rem;border-radius:.875rem;color:var(--c,var(--mid));background:var(--soft);background:color-mix(in srgb,var(--c,var(--mid)) 13%,var(--card));flex:none}
.k svg{width:50%;height:50%}
.img{--c:#7a3fb8}.vid{--c:#b0307a}.pdf{--c:#b8392b}.tab{--c:#1c7a4c}.zip{--c:#8a5a00}.txt,.dir{--c:var(--link)}
.ok{--c:var(--ok)}.no{--c:var(--mid)}.warn{--c:var(--warn)}
@media(prefers-color-scheme:dark){.img{--c:#c9a2f5}.vid{--c:#f09ac9}.pdf{--c:#ff9d94}.tab{--c:#74d6a5}.zip{--c:#f0c06a}}
.note{margin-top:1.25rem;padding:.75rem 1rem;border-radius:.75rem;background:var(--bg);overflow-wrap:anywhere;white-space:pre-line}
.go,.alt{display:flex;gap:.5rem;align-items:center;justify-content:center;min-height:3rem;padding:.5rem 1.25rem;border:0;border-radius:.75rem;background:var(--fill);color:var(--on);font:inherit;font-weight:600;text-decoration:none;cursor:pointer;transition:background .15s}
.go:hover{background:var(--hov)}
.face .go,.box .go{width:100%;margin-top:1.5rem}
.alt{background:none;color:var(--link);box-shadow:inset 0 0 0 1px var(--line)}
.alt:hover{background:var(--soft)}
.face .alt{width:100%;margin-top:.75rem}.it+.alt,.note+.alt{margin-top:1.5rem!important}
.hint{margin-top:.875rem;text-align:center}.hint,footer,.sum{text-wrap:balance}
label{display:block;font-weight:600;font-size:.9375rem;margin:1.5rem 0 .375rem}
input{width:100%;min-height:3rem;padding:.5rem .875rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.75rem}
[aria-invalid]{border-color:var(--bad)!important}
.err{color:var(--bad);font-size:.9375rem;margin-top:.5rem}
details{margin-top:1.25rem;font-size:.9375rem}
summary{cursor:pointer;color:var(--mid);padding:.25rem 0}
pre{overflow-wrap:anywhere;white-space:pre-wrap;margin:0;font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
details pre{margin-top:.5rem;padding:1rem;border-radius:.75rem;background:var(--card);box-shadow:0 0 0 1px var(--line)}
.view{margin-top:1.5rem;border-radius:1.25rem;overflow:hidden;background:var(--card);box-shadow:0 0 0 1px var(--line)}
.view>img,.view>video,.view>iframe{display:block;width:100%;height:auto;border:0}
.view>img{max-height:max(20rem,100vh - 15rem);object-fit:contain;background:var(--bg)}
.bar{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;padding:.75rem 1.25rem;border-bottom:1px solid var(--line);font-size:.875rem}
.doc{padding:clamp(1.25rem,4vw,3rem);max-width:46rem;margin:auto;overflow-wrap:anywhere}
.doc>*+*{margin-top:1rem}.doc ol{padding-inline-start:1.25rem}
.wide{max-width:66rem;padding-top:1.5rem}
.duo{max-width:72rem;padding-top:1.5rem}
.duo .view{margin:0}
.lead{display:flex;flex-wrap:wrap;gap:1.25rem 2rem;align-items:flex-end;justify-content:space-between;margin-bottom:1.5rem}
.lead .by{margin-bottom:.75rem}.lead h1{font-size:clamp(1.5rem,4vw,2rem)}
.lead .go{width:auto}
.sum{margin-top:.375rem;color:var(--mid)}
.seg{display:inline-flex;gap:.125rem;padding:.1875rem;border-radius:.625rem;background:var(--bg)}
.seg a{display:flex;gap:.375rem;align-items:center;min-height:2rem;padding:0 .75rem;border-radius:.5rem;color:var(--mid);text-decoration:none}
.seg [aria-current]{background:var(--card);color:var(--ink);box-shadow:0 1px 3px var(--sh)}
table{width:100%;border-collapse:collapse;font-size:.9375rem}
th{font-weight:500;font-size:.8125rem;color:var(--mid);text-align:start;padding:.625rem .75rem}
th a{color:inherit;text-decoration:none}
td{padding:.5rem .75rem;border-top:1px solid var(--line);color:var(--mid);white-space:nowrap}
:is(td,th):last-child{padding-inline-end:1.25rem}td:first-child,th:first-child{padding-inline-start:1.25rem;white-space:normal;width:100%}
tr:hover td{background:var(--bg)}
.vh{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.num{text-align:end;font-variant-numeric:tabular-nums}
.row{display:flex;gap:.875rem;align-items:center;color:var(--ink);text-decoration:none;font-weight:500;overflow-wrap:anywhere;min-height:2.75rem}
.row:hover bdi{text-decoration:underline}
.row .k{width:2.5rem;height:2.5rem;border-radius:.625rem}
.row img{width:2.5rem;height:2.5rem;border-radius:.625rem;object-fit:cover;flex:none;background:var(--line)}
.row small{display:none;font-weight:400}
.dl{display:grid;place-items:center;width:2.75rem;height:2.75rem;border-radius:.625rem;color:var(--mid)}
.dl:hover{background:var(--soft);color:var(--link)}
.dirs{display:flex;flex-wrap:wrap;gap:.75rem;padding:1rem 1rem 0}
.dirs a{display:flex;align-items:center;gap:.625rem;min-height:3rem;padding:.25rem 1rem .25rem .75rem;border-radius:.75rem;box-shadow:0 0 0 1px var(--line);color:inherit;text-decoration:none;font-weight:500;font-size:.9375rem;overflow-wrap:anywhere}
.dirs a:hover{background:var(--soft)}.dirs svg{color:var(--link)}
.gal{display:flex;flex-wrap:wrap;gap:.75rem;padding:1rem}.gal::after{content:"";flex-grow:99}
.gal li{flex:auto}.gal a{display:block;color:inherit;text-decoration:none;font-size:.8125rem}.gal a:hover bdi{text-decoration:underline}
.gal img,.gal .k{height:13rem;width:auto;min-width:100%;max-width:100%;border-radius:.75rem;object-fit:cover}.gal img{display:block;background:var(--line);contain:size}
.gal .k{min-width:10rem}.gal .k svg{width:2.5rem;height:2.5rem}
.gal span:last-child{display:block;width:0;min-width:100%;padding:.375rem .125rem 0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
@media(min-width:60rem){.duo{display:grid;grid-template:auto 1fr/22rem minmax(0,1fr);gap:0 2rem;align-items:start}.duo>.view{grid-area:1/2/3}}
@media(max-width:60rem){.duo{display:grid;gap:1.5rem;max-width:36rem}}
@media(max-width:40rem){.face,.box{padding:1.25rem}.stub{padding:1rem 1.25rem}.lo{display:none}.row small{display:block}.lead .go{width:100%}.gal{gap:.5rem;padding:.75rem}.gal img,.gal .k{height:8.5rem}.gal .k{min-width:8rem}td:first-child,th:first-child{padding-inline-start:.875rem}}
[dir=rtl] :is(.seg,.go) svg{scale:-1 1}
@media(prefers-reduced-motion){*{transition:none!important}}
@media(forced-colors:active){.go,.alt,.k,.seg [aria-current],.face,.stub,.view{border:1px solid}}
@media print{body{background:none}.top,footer,.go,.alt,.dl,details,.seg{display:none}.pass{filter:none}.face,.stub{border:1px solid;mask:none;-webkit-mask:none}.stub{border-top:0}}
.hint{overflow-wrap:anywhere}.view>iframe{height:70vh}.view>audio{display:block;width:100%}
[hidden]{display:none}
`;
