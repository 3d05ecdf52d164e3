import { type DaypassError, refusal } from "../../core/errors.ts";

// POSIX extended regular expressions (IEEE 1003.1 chapter 9.4) for ASCII, matched over the whole text. Compiled to a machine
// whose states are followed all at once (Thompson 1968), so that no expression takes longer than its size times the text:
// a backtracking matcher can be held up for years by `(a+)+b`.

/** The most states that an expression may have; `(.{255}){255}` would have 65025. */
const MAX_STATES = 1024;
const MAX_LENGTH = 2048;
/** The most parts that are put together, which states do not bound: `((a{0}){255}){255}` has none. */
const MAX_PARTS = 16 * MAX_STATES;
/** RE_DUP_MAX. */
const MAX_REPEAT = 255;

/** A state: accepts a character of a set, continues at two places, asserts the text's start or end, or accepts. */
type State =
  | { readonly set: Uint8Array; next: number }
  | { readonly split: [number, number] }
  | { readonly at: "start" | "end"; next: number }
  | { readonly accepts: true };

/** A compiled POSIX extended regular expression. */
export interface UriSigningRegex {
  readonly source: string;
  /** Whether the expression matches the whole text. */
  readonly matches: (text: string) => boolean;
}

type Node =
  | { readonly kind: "set"; readonly set: Uint8Array }
  | { readonly kind: "at"; readonly at: "start" | "end" }
  | { readonly kind: "all" | "any"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly min: number; readonly max: number };

/**
 * A POSIX extended regular expression for the container `regex:`, matched over the whole URI in time that grows with its
 * length and no faster. PCRE's own (`\\d`, `(?:…)`, `.*?`, `\\1`) is refused. For the signer it is one expression, for the
 * verifier the way to read any: `regex: uriSigningRegex`.
 *
 * Source: RFC 9246, the container `regex:` of the claim `cdniuc`
 *
 * @param source the expression
 * @throws {DaypassError} `INVALID_INPUT`
 * @example
 * ```ts
 * import { uriSigningRegex } from "daypass/uri-signing";
 *
 * const { matches } = uriSigningRegex("https://cdn\\.example/folder/segment[0-9]{3}\\.mp4(\\?.*)?");
 * console.log(matches("https://cdn.example/folder/segment001.mp4"), matches("https://cdn.example/folder/segment1.mp4x")); // true false
 * ```
 */
export function uriSigningRegex(source: string): UriSigningRegex {
  const states: State[] = [];
  let parts = 0;
  const start = emit(parse(source), add({ accepts: true }));
  return { source, matches: (text) => run(states, start, text) };

  function add(state: State): number {
    if (states.length >= MAX_STATES) throw fault(`at most ${MAX_STATES} states`);
    return states.push(state) - 1;
  }

  /** Puts the states of a node in front of `next` and returns the first of them. */
  function emit(node: Node, next: number): number {
    if (++parts > MAX_PARTS) throw fault(`at most ${MAX_PARTS} parts`);
    switch (node.kind) {
      case "set":
        return add({ set: node.set, next });
      case "at":
        return add({ at: node.at, next });
      case "all":
        return node.parts.reduceRight((after, part) => emit(part, after), next);
      case "any":
        return node.parts.map((part) => emit(part, next)).reduceRight((right, left) => add({ split: [left, right] }));
      case "repeat":
        return emitRepeat(node, next);
    }
  }

  function emitRepeat({ part, min, max }: Node & { readonly kind: "repeat" }, next: number): number {
    let after = next;
    if (max === Number.POSITIVE_INFINITY) {
      const split: [number, number] = [0, next];
      after = add({ split });
      split[0] = emit(part, after);
    } else {
      for (let left = max - min; left > 0; left--) after = add({ split: [emit(part, after), next] });
    }
    for (let left = min; left > 0; left--) after = emit(part, after);
    return after;
  }
}

function run(states: readonly State[], start: number, text: string): boolean {
  // The step at which a state was last entered: a set that empties itself.
  const entered = new Int32Array(states.length).fill(-1);
  let current: number[] = [];
  const enter = (list: number[], first: number, step: number): void => {
    const pending = [first];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (entered[index] === step) continue;
      entered[index] = step;
      const state = states[index] as State;
      if ("split" in state) pending.push(state.split[1], state.split[0]);
      else if (!("at" in state)) list.push(index);
      else if (state.at === "start" ? step === 0 : step === text.length) pending.push(state.next);
    }
  };
  enter(current, start, 0);
  for (let i = 0; i < text.length && current.length > 0; i++) {
    const next: number[] = [];
    const code = text.charCodeAt(i);
    for (const index of current) {
      const state = states[index] as State;
      if ("set" in state && state.set[code] === 1) enter(next, state.next, i + 1);
    }
    current = next;
  }
  return current.some((index) => "accepts" in (states[index] as State));
}

function parse(source: string): Node {
  if (source.length > MAX_LENGTH || !/^[\x20-\x7e]*$/.test(source))
    throw fault(`at most ${MAX_LENGTH} printable ASCII`);
  let at = 0;
  const node = alternatives();
  if (at < source.length) throw fault("balanced parentheses");
  return node;

  function alternatives(): Node {
    const parts = [branch()];
    while (source[at] === "|") {
      at++;
      parts.push(branch());
    }
    return parts.length === 1 ? (parts[0] as Node) : { kind: "any", parts };
  }

  function branch(): Node {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(piece());
    // "The interpretation of an expression containing the vertical-line … with an empty part is undefined."
    if (parts.length === 0) throw fault("no empty expression, group or alternative");
    return { kind: "all", parts };
  }

  function piece(): Node {
    const part = atom();
    const bounds = repetition();
    if (bounds === undefined) return part;
    // "The behavior of multiple adjacent duplication symbols produces undefined results", and PCRE's `+?` is another thing.
    if (part.kind === "at" || repetition() !== undefined) throw fault("one repetition behind a character or a group");
    return { kind: "repeat", part, ...bounds };
  }

  function repetition(): { readonly min: number; readonly max: number } | undefined {
    const character = source[at];
    if (character === "*" || character === "+" || character === "?") {
      at++;
      return { min: character === "+" ? 1 : 0, max: character === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    if (character !== "{") return undefined;
    const [whole = "", low = "", comma, high] = /^\{([0-9]{1,3})(,([0-9]{1,3})?)?\}/.exec(source.slice(at)) ?? [];
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? Number.POSITIVE_INFINITY : Number(high);
    if (whole === "" || min > max || min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY)) {
      throw fault(`{m}, {m,} or {m,n} up to ${MAX_REPEAT}`);
    }
    at += whole.length;
    return { min, max };
  }

  function atom(): Node {
    const character = source[at++] as string;
    if (character === "(") {
      const inner = alternatives();
      if (source[at++] !== ")") throw fault("balanced parentheses");
      return inner;
    }
    if (character === "[") return { kind: "set", set: bracket() };
    if (character === "^") return { kind: "at", at: "start" };
    if (character === "$") return { kind: "at", at: "end" };
    if (character === ".") return { kind: "set", set: new Uint8Array(128).fill(1) };
    if (character === "\\") {
      const escaped = source[at++] ?? "";
      if (!/^[^A-Za-z0-9 ]$/.test(escaped)) throw fault("no escape but of punctuation (POSIX has neither \\d nor \\1)");
      return literal(escaped);
    }
    if ("*+?{".includes(character)) throw fault("a repetition after a character or a group (POSIX has no (?:)");
    return literal(character);
  }

  /** "[^a-z[:digit:]]"; `]` as the first character stands for itself, and so does `-` at either end. */
  function bracket(): Uint8Array {
    const negated = source[at] === "^";
    if (negated) at++;
    const found = new Uint8Array(128);
    for (let first = true; first || source[at] !== "]"; first = false) {
      const name = /^\[:([a-z]+):\]/.exec(source.slice(at));
      if (name !== null) {
        const known = CLASSES[name[1] as string];
        if (known === undefined) throw fault("a character class of POSIX");
        for (let code = 0; code < 128; code++) if (known.test(String.fromCharCode(code))) found[code] = 1;
        at += name[0].length;
        continue;
      }
      const low = bracketCharacter();
      const isRange = source[at] === "-" && source[at + 1] !== "]";
      if (isRange) at++;
      const high = isRange ? bracketCharacter() : low;
      if (low > high) throw fault("ranges in ascending order");
      found.fill(1, low, high + 1);
    }
    at++;
    return negated ? found.map((is) => 1 - is) : found;
  }

  // "The special characters '.', '*', '[', and '\\' shall lose their special meaning within a bracket expression."
  function bracketCharacter(): number {
    const character = source[at];
    if (character === undefined || /^\[[.=]/.test(source.slice(at, at + 2)))
      throw fault("a closed bracket, without [. and [=");
    at++;
    return character.charCodeAt(0);
  }
}

function literal(character: string): Node {
  const set = new Uint8Array(128);
  // What is no ASCII has no place in it, and is in no set.
  set[character.charCodeAt(0)] = 1;
  return { kind: "set", set };
}

/** "These regular expressions MUST be evaluated in the POSIX locale." */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

function fault(expected: string): DaypassError {
  return refusal("INVALID_INPUT", `the regular expression cannot be used. Pass a POSIX extended one with ${expected}`);
}
