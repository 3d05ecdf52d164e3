import type { Random } from "./seeded.ts";

/** A POSIX extended regular expression, and texts that it matches, or nearly. */
export interface Expression {
  readonly source: string;
  readonly texts: readonly string[];
}

interface Part {
  readonly source: string;
  sample(): string;
}

const CHARACTERS = "abc019/.-_~%&=:?";
const BRACKETS: readonly (readonly [source: string, members: string])[] = [
  ["[a-c]", "abc"],
  ["[^/]", "ab0.-"],
  ["[]a-]", "]a-"],
  ["[[:digit:]_]", "019_"],
  ["[[:alpha:][:punct:]]", "abc/.%"],
  ["[^[:alnum:]]", "/.-_"],
  ["[+--]", "+,-"],
  [".", "ab0/.%"],
];

/** Texts of printable ASCII: no line feeds. */
export function randomExpression(random: Random): Expression {
  const whole = alternatives(random, 3);
  const texts = new Set<string>();
  for (let left = 6; left > 0; left--) {
    const text = whole.sample();
    const at = random.below(text.length + 1);
    texts.add(text);
    texts.add(text.slice(0, at) + text.slice(at + 1));
    texts.add(text.slice(0, at) + random.pick([...CHARACTERS]) + text.slice(at));
  }
  return { source: whole.source, texts: [...texts].filter((text) => text.length < 400) };
}

function alternatives(random: Random, depth: number): Part {
  const parts = Array.from({ length: random.chance(0.3) ? 2 + random.below(2) : 1 }, () => branch(random, depth));
  return { source: parts.map(({ source }) => source).join("|"), sample: () => random.pick(parts).sample() };
}

function branch(random: Random, depth: number): Part {
  const parts = Array.from({ length: 1 + random.below(4) }, () => piece(random, depth));
  return {
    source: parts.map(({ source }) => source).join(""),
    sample: () => parts.map((part) => part.sample()).join(""),
  };
}

function piece(random: Random, depth: number): Part {
  const part = atom(random, depth);
  if (part.source === "^" || part.source === "$" || random.chance(0.5)) return part;
  const low = random.below(3);
  const [mark, min, max] = random.pick<readonly [string, number, number]>([
    ["*", 0, 3],
    ["+", 1, 3],
    ["?", 0, 1],
    [`{${low}}`, low, low],
    [`{${low},}`, low, low + 2],
    [`{${low},${low + 2}}`, low, low + 2],
  ]);
  return {
    source: part.source + mark,
    sample: () => Array.from({ length: min + random.below(max - min + 1) }, () => part.sample()).join(""),
  };
}

function atom(random: Random, depth: number): Part {
  if (depth > 0 && random.chance(0.3)) {
    const { source, sample } = alternatives(random, depth - 1);
    return { source: `(${source})`, sample };
  }
  if (random.chance(0.05)) return { source: random.pick(["^", "$"]), sample: () => "" };
  if (random.chance(0.35)) {
    const [source, members] = random.pick(BRACKETS);
    return { source, sample: () => random.pick([...members]) };
  }
  const character = random.pick([...CHARACTERS]);
  return { source: /[.?]/.test(character) ? `\\${character}` : character, sample: () => character };
}
