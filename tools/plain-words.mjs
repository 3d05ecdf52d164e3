/**
 * Phrases that no comment, test name, page or text of a program may have, and what to write in their place (CONTRIBUTING.md, "Plain English").
 * @type {readonly { readonly phrase: RegExp, readonly instead: string }[]}
 */
export const phrases = [
  { phrase: /\bwho(?:ever|m)\b/i, instead: "name the actor: client, caller, server, operator" },
  { phrase: /\b(?:some|no|any)body\b/i, instead: "name the actor: client, caller, server, operator" },
  { phrase: /\b(?:the|an?|no|what|any)(?:thing|one)? (?:else )?who ends\b/i, instead: "name the actor" },
  { phrase: /\bone that\b/i, instead: "name the thing" },
  { phrase: /\b(?:that|those) of\b/i, instead: "name the thing" },
  { phrase: /\bbehind that\b|\bbesides\b/i, instead: "after, also, in addition to" },
  {
    phrase: /\b(?:is|are|was|were|be|been|being|not|has|have|had) told\b|\btold (?:it|of|apart|from|by)\b/i,
    instead: "receives, knows",
  },
  { phrase: /\btells\b/i, instead: "returns, reports, shows" },
  { phrase: /\btak(?:e|es|en) for\b|\btakes (?:it|them) for\b/i, instead: "reads as, treats as" },
  { phrase: /\bhas it\b|\bhave it\b/i, instead: "name the thing" },
  { phrase: /\blets\b/i, instead: "allows, accepts" },
  { phrase: /\bis there\b(?!\?)|\bare there\b(?!\?)/i, instead: "exists, is present" },
  { phrase: /\bcomes? to nothing\b/i, instead: "fails" },
  {
    phrase: /\bno more (?:than)?\b(?=comes|is|are|be\b|of it|read|sent|take)|\bis no more\b|\bare no more\b/i,
    instead: "no longer",
  },
  { phrase: /\bwhere (?:there (?:is|are)|it (?:is|has|can|does)|nobody|none|no\b|nothing)/i, instead: "if, when" },
  { phrase: /\bbe it\b/i, instead: "whether" },
  { phrase: /\bsaid no to\b|\bsays? no\b/i, instead: "refused" },
  { phrase: /\bof (?:its|their|one's) own\b/i, instead: "own, separate" },
  { phrase: /\bst(?:ands?|ood) in\b/i, instead: "is in, contains, replaces" },
  { phrase: /(?<!\bthere )\b(?:is|are|was|were) none\b/i, instead: "does not exist, is missing" },
  { phrase: /\bon record\b/i, instead: "recorded, in the audit" },
  { phrase: /\bfor ever\b/i, instead: "permanently, without end" },
  { phrase: /\b(?:goes|go|going|went) on\b/i, instead: "continues" },
  { phrase: /\bcomes? of it\b|\bof it no\b|\bof (?:what|which) (?:no|nothing)\b/i, instead: "name the thing" },
];

/** Where a phrase is allowed, with the reason. @type {readonly { readonly path: string, readonly text: string, readonly why: string }[]} */
export const allowed = [];

const COMMENT = /^\s*(?:\/\/|\/?\*+(?!\/))(.*?)(?:\*\/)?$|[;,{}()\]] \/\/ (.*)$/;
/** Texts of a program: literals with at least three words. A template is read between its placeholders. */
const LITERAL = /(["`])((?:(?!\1)[^\\]|\\.)*)\1/g;
const TITLE = /\b(?:it|test|describe)(?:\.[\w.]+)?(?:\([^"`]*\)|<[^"`]*>)?\(\s*(["`])((?:(?!\1).)*)\1/;

/** The first phrase in a line of prose. Text in quotes or backticks is a quotation or code. @param {string} said */
function phraseIn(said) {
  const prose = said.replace(/`[^`]*`|"[^"]*"|“[^”]*”/g, "…");
  return phrases.find(({ phrase }) => phrase.test(prose));
}

/**
 * The texts that a line of a program can show: literals of at least three words, without their placeholders.
 * @param {string} line
 */
function textsIn(line) {
  return Array.from(line.matchAll(LITERAL), ([, , text = ""]) => text.replace(/\$\{[^}]*\}/g, "…")).filter((text) =>
    /\S \S+ \S/.test(text),
  );
}

/**
 * The phrases in the comments and test names of one file, and in the texts of a source file.
 * @param {string} path @param {string} code
 * @returns {readonly { readonly line: number, readonly text: string, readonly instead: string }[]}
 */
export function bannedPhrases(path, code) {
  return code.split("\n").flatMap((text, index) => {
    const [comment, ...trailing] = COMMENT.exec(text)?.slice(1) ?? [];
    const texts = comment === undefined && /(?:^|\/)src\//.test(path) ? textsIn(text) : [];
    const hit = phraseIn([comment, ...trailing, TITLE.exec(text)?.[2], ...texts].filter(Boolean).join(" | "));
    if (!hit || allowed.some((place) => path === place.path && text.includes(place.text))) return [];
    return [{ line: index + 1, text: text.trim(), instead: hit.instead }];
  });
}

/**
 * The phrases in one Markdown page, outside its code blocks. A phrase may go over the end of a line: paragraphs are read whole.
 * @param {string} _path @param {string} page
 * @returns {readonly { readonly line: number, readonly text: string, readonly instead: string }[]}
 */
export function bannedProse(_path, page) {
  /** @param {string} text */
  const hidden = (text) => text.replace(/[^\n]/g, "…");
  // Each replacement keeps the length, so that positions and line numbers stay. A line break in a paragraph reads as a blank.
  const outside = page.replace(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, hidden);
  const quoted = outside.replace(/`[^`]*`|"[^"\n]*"|“[^”]*”/g, hidden);
  const flat = quoted.replace(/(\S)\n(?=[^\s|>#*-])/g, "$1 ");
  const hits = phrases.flatMap(({ phrase, instead }) =>
    [...flat.matchAll(new RegExp(phrase.source, "gi"))].map(({ index, 0: text }) => {
      const at = quoted.slice(0, index).split("\n").length;
      const words = page.slice(Math.max(0, index - 60), index + text.length + 40).replace(/\n/g, " ");
      return { line: at, text: words.trim(), instead };
    }),
  );
  return hits.sort((a, b) => a.line - b.line);
}
