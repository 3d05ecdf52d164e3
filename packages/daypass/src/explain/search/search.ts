import type { Cause, CauseCode, Hypothesis } from "../explanation.ts";
import type { Work } from "./work.ts";

/** One possible difference between the signed and the sent request. */
export interface Variant<I> {
  readonly code: CauseCode;
  readonly input: I;
  /** The finding if the signature fits this input. */
  readonly signed: string;
  /** The finding if the server's answer fits this input. */
  readonly seen: string;
  readonly fix: string;
}

/** The result of a search. */
export interface Found<I = unknown> {
  /** `undefined` if an unchanged input fits, and if nothing fits. */
  readonly cause: Cause | undefined;
  readonly hypotheses: readonly Hypothesis[];
  /** The input that fits. */
  readonly input?: I | undefined;
  /** The variants that lead to `input`. */
  readonly codes: readonly CauseCode[];
  /** Whether nothing fits and the limit left single changes untried. */
  readonly isCut?: boolean | undefined;
}

/** The inputs to try, and the test of each. */
interface Search<I, F> {
  /** Several inputs if parts of the request are unknown. */
  readonly inputs: readonly I[];
  readonly fits: (input: I) => F;
}

interface Ways<I> {
  readonly variantsOf: (input: I) => Iterable<Variant<I>>;
  readonly view: "signed" | "seen";
  readonly work: Work;
}

/**
 * Tries the unchanged inputs, then the variants of each in their order, then pairs of variants of the first input. A match of
 * 160 bits or more cannot be chance, so the first fit is the cause.
 *
 * @param parts the number of keys that share the work
 */
export function search<I>({ inputs, fits }: Search<I, boolean>, ways: Ways<I>, parts = 1): Found<I> {
  const stage: Stage = { tried: new Map(), isCut: false, take: ways.work.share(parts) };
  for (const trials of [singles(inputs, ways, stage), pairs(inputs, ways, stage)]) {
    let trial = trials.next();
    while (!trial.done) trial = trials.next(fits(trial.value));
    if (trial.value !== undefined) return trial.value;
  }
  return { ...nothing<I>(stage.tried), isCut: stage.isCut };
}

/**
 * {@link search} with several keys, and with signatures whose verification returns a promise. Tries single changes with all keys
 * before pairs with any. The keys share the work.
 */
export async function searchEach<I>(
  searches: readonly Search<I, boolean | Promise<boolean>>[],
  ways: Ways<I>,
): Promise<Found<I> & { readonly index: number }> {
  const stages = searches.map((): Stage => ({ tried: new Map(), isCut: false, take: () => false }));
  for (const trialsOf of [singles, pairs]) {
    for (const [index, { inputs, fits }] of searches.entries()) {
      const stage = stages[index] as Stage;
      stage.take = ways.work.share(searches.length - index);
      const trials = trialsOf(inputs, ways, stage);
      let trial = trials.next();
      while (!trial.done) trial = trials.next(await fits(trial.value));
      if (trial.value !== undefined) return { ...trial.value, index };
    }
  }
  const isCut = stages.some((stage) => stage.isCut);
  return { ...nothing<I>(stages[0]?.tried ?? new Map()), index: 0, isCut };
}

/** The cause, with a note if not everything was tried. */
export function withCutNote(cause: Cause, { isCut }: Pick<Found, "isCut">): Cause {
  return isCut === true ? { ...cause, evidence: [...cause.evidence, CUT] } : cause;
}

const CUT =
  "Not every change was tried: too many keys, guesses or parameters share a limited number of tries, and a long URL has fewer. Give fewer keys, and the method and the headers that were sent.";

function nothing<I>(tried: Tried, input?: I): Found<I> {
  return { cause: undefined, hypotheses: hypotheses(tried, []), input, codes: [] };
}

type Tries = Map<CauseCode, { count: number; sentence: string }>;

interface Stage {
  readonly tried: Tries;
  /** Whether the work ended before the single changes did. */
  isCut: boolean;
  /** Counts a try. Returns whether the work suffices for it. */
  take: () => boolean;
}

/** Yields inputs to try; the caller answers whether each fits. Returns `undefined` if none does. */
function* singles<I>(
  inputs: readonly I[],
  { variantsOf, view }: Ways<I>,
  stage: Stage,
): Generator<I, Found<I> | undefined, boolean> {
  const { tried } = stage;
  for (const input of inputs) if (yield input) return nothing(tried, input);
  // Variant by variant over all inputs, so that the limit cuts only the unlikely ones.
  let open = inputs.map((input) => variantsOf(input)[Symbol.iterator]());
  while (open.length > 0) {
    const rest: typeof open = [];
    for (const variants of open) {
      const next = variants.next();
      if (next.done === true) continue;
      rest.push(variants);
      const variant = next.value;
      if (!stage.take()) {
        stage.isCut = true;
        return undefined;
      }
      const seen = tried.get(variant.code);
      tried.set(variant.code, { count: (seen?.count ?? 0) + 1, sentence: seen?.sentence ?? variant[view] });
      if (yield variant.input) return found([variant], { tried, view, input: variant.input });
    }
    open = rest;
  }
  return undefined;
}

function* pairs<I>(
  [input]: readonly I[],
  { variantsOf, view }: Ways<I>,
  { tried, take }: Stage,
): Generator<I, Found<I> | undefined, boolean> {
  for (const first of input === undefined ? [] : variantsOf(input)) {
    for (const second of variantsOf(first.input)) {
      if (second.code === first.code && second.code !== "QUERY") continue;
      if (!take()) return undefined;
      if (yield second.input) return found([first, second], { tried, view, input: second.input });
    }
  }
  return undefined;
}

type Tried = ReadonlyMap<CauseCode, { readonly count: number; readonly sentence: string }>;

interface Trial<I> {
  readonly tried: Tried;
  readonly view: "signed" | "seen";
  readonly input: I;
}

function found<I>(fitting: readonly Variant<I>[], { tried, view, input }: Trial<I>): Found<I> {
  const [first] = fitting as [Variant<I>];
  return {
    cause: {
      code: first.code,
      sentence: fitting.map((variant) => variant[view]).join(" Also: "),
      evidence: [
        view === "signed"
          ? "With this one change the signature comes out exactly."
          : "With this one change the server's own hash of the request comes out exactly.",
      ].map((text) => (fitting.length === 1 ? text : text.replace("this one change", "these two changes"))),
      fix: fitting.map(({ fix }) => fix).join(" "),
    },
    hypotheses: hypotheses(
      tried,
      fitting.map((variant) => ({ code: variant.code, sentence: variant[view] })),
    ),
    input,
    codes: fitting.map(({ code }) => code),
  };
}

function hypotheses(
  tried: Tried,
  fitting: readonly { readonly code: CauseCode; readonly sentence: string }[],
): readonly Hypothesis[] {
  const list = [...tried].map(([code, { count, sentence }]): Hypothesis => {
    const fit = fitting.find((item) => item.code === code);
    return { code, tried: count, fits: fit !== undefined, sentence: fit?.sentence ?? sentence };
  });
  return [...list.filter(({ fits }) => fits), ...list.filter(({ fits }) => !fits)];
}
