import type { ReceivedRequest } from "../core/contracts.ts";
import { headerValues } from "../wire/raw-target.ts";
import { type Case, diagnose, type SignedInput } from "./cause/diagnosis.ts";
import { type GrammarReading, grammarCause } from "./cause/grammar.ts";
import { earlier, type Times } from "./cause/life.ts";
import { missingHeader } from "./cause/request.ts";
import type { Explained, Subject } from "./explainer.ts";
import type { Cause, Explanation, MustSend, Trap } from "./explanation.ts";
import { spellings } from "./secrets.ts";
import { endTraps, urlTraps } from "./traps.ts";

type Stated = "scheme" | "signedBy" | "binds" | "leavesOpen" | "signedAt" | "startsAt" | "endsAt" | "mayEndEarlier";

/** A URL whose signature covers one text: its claims, and how its signature is checked. */
export interface TextScheme<I extends SignedInput>
  extends Pick<Explanation, Stated>,
    Pick<Explained, "signsQuery" | "notSigned"> {
  /** Start of the summary. */
  readonly title: string;
  readonly resource: string;
  /** The expiry as the URL spells it. Absent if other traps cover it. */
  readonly end?: string;
  readonly bindsHost?: boolean;
  readonly traps: readonly Trap[];
  /** Parameters that no text may show: signature and session token. */
  readonly secrets: readonly (string | undefined)[];
  /** Granted methods; by default the signed method, if a key proves it. */
  granted?(method: string | undefined): readonly string[] | undefined;
  mustSend?(fitting: I | undefined): readonly MustSend[];
  /** When the key that signed expires. */
  keyEnd?(fitting: I | undefined): Date | undefined;
  canonicalRequest?(input: I): string;
  check(subject: Subject): TextCheck<I>;
}

type Derived = "subject" | "signedBy" | "keys" | "inputFor" | "shown" | "grammar" | "times";

/** The check of one request. */
export interface TextCheck<I extends SignedInput> extends Omit<Case<I>, Derived | "fits"> {
  /** By default, compares the signatures. */
  fits?: Case<I>["fits"];
  /** The given keys of this scheme, with their change of the input. */
  readonly keys: readonly { readonly id: string; readonly isNamed?: boolean; readonly change: Partial<I> }[];
  /** The signed input of a sent request. */
  inputOf(subject: Subject): I;
  /** Reads the request as a verifier does. Throws the reason of a refusal. */
  parse(received: ReceivedRequest): unknown;
  readonly reading?: GrammarReading | undefined;
  /** By default, start and end of the explanation. */
  readonly times?: Times;
  /** A fault that the parser reports late or not at all. */
  readonly fault?: Cause | undefined;
}

/** Explains a URL whose signature covers one text. */
export async function explainTextScheme<I extends SignedInput>(
  subject: Subject,
  scheme: TextScheme<I>,
): Promise<Explained> {
  const { url, sentUrl, now } = subject;
  const {
    title,
    resource,
    signedBy,
    end,
    secrets,
    granted = (method) => (method === undefined ? undefined : [method]),
  } = scheme;
  const caseOf = (from: Subject): Case<I> => completeCase(scheme, from);
  const { cause, hypotheses, keyFits, method, fitting } = await diagnose(subject, caseOf);
  const { keys, inputFor, textOf, implied } = caseOf(subject);
  const shown = fitting ?? keys.find(({ isNamed }) => isNamed)?.put(inputFor(sentUrl));
  const endsAt = scheme.endsAt && earlier(scheme.endsAt, scheme.keyEnd?.(fitting));
  return {
    explanation: {
      scheme: scheme.scheme,
      summary: `${title} for ${resource}, signed by ${signedBy || "nobody"}${endsAt === undefined ? "" : `, valid until ${endsAt.toISOString()}`}.`,
      signedBy,
      grants: { methods: granted(method), resource },
      binds: scheme.binds,
      leavesOpen: scheme.leavesOpen,
      signedAt: scheme.signedAt,
      startsAt: scheme.startsAt,
      endsAt,
      mayEndEarlier: scheme.mayEndEarlier,
      mustSend: scheme.mustSend?.(fitting) ?? [],
      traps: [
        ...urlTraps(url).filter(({ name }) => scheme.bindsHost === true || name !== "host-port"),
        ...scheme.traps,
        ...(end === undefined ? [] : endTraps(scheme.endsAt, end, now)),
      ],
      cause,
      hypotheses,
      canonicalRequest: shown && scheme.canonicalRequest?.(shown),
      stringToSign: shown && textOf(shown),
    },
    hidden: secrets.flatMap(spellings),
    keyFits,
    implied: subject.known.headers ? implied?.(inputFor(sentUrl)) : undefined,
    signsQuery: scheme.signsQuery,
    notSigned: scheme.notSigned,
  };
}

function completeCase<I extends SignedInput>(scheme: TextScheme<I>, subject: Subject): Case<I> {
  const { signedBy, startsAt, endsAt } = scheme;
  const { sent, sentUrl, error } = subject;
  const { keys, inputOf, parse, reading, fault, times = { startsAt, endsAt }, ...check } = scheme.check(subject);
  const { listed = [] } = check;
  // A missing header is no fault of the grammar: the headers may not be given.
  const missing = listed.filter((name) => name !== "host" && headerValues(sent.headers, name).length === 0);
  const request = { ...sent, headers: [...sent.headers, ...missing.map((name) => [name, "-"] as const)] };
  const origin = `${sentUrl.protocol}://${sent.authority}`;
  const { signatures } = check;
  const isOwn = async (input: I): Promise<boolean> =>
    signatures !== undefined && (await signatures.signatureOf(input)) === signatures.signature;
  return {
    ...check,
    fits: check.fits ?? isOwn,
    subject,
    signedBy,
    keys: keys.map(({ id, isNamed = id === signedBy, change }) => ({
      id,
      isNamed,
      put: (input) => ({ ...input, ...change }),
    })),
    inputFor(url) {
      const authority = url === sentUrl ? sent.authority : url.authority;
      return inputOf({ ...subject, sentUrl: url, sent: { ...sent, authority } });
    },
    shown: error?.fields.get("StringToSign"),
    grammar:
      missingHeader(subject, listed) ??
      fault ??
      grammarCause(() => parse({ request, wire: sentUrl.wire, origin, wildcard: "" }), reading),
    times,
  };
}
