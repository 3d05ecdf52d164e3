import { amazonBucket, amazonRegion } from "../amazon-host.ts";
import type { Cause, CauseCode } from "../explanation.ts";
import { nameOf } from "../parameters.ts";
import { KEEP_PATH, pathSpellings } from "../search/spellings.ts";

/** The six parts of a canonical request, as texts. */
interface CanonicalLines {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly signedHeaders: string;
  readonly payload: string;
}

function readCanonicalRequest(text: string): CanonicalLines {
  const lines = text.split("\n");
  const [method = "", path = "", query = ""] = lines;
  const headers = new Map<string, string>();
  let i = 3;
  for (; i < lines.length && lines[i] !== ""; i++) {
    const line = lines[i] as string;
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return { method, path, query, headers, signedHeaders: lines[i + 1] ?? "", payload: lines[i + 2] ?? "" };
}

/** Whose canonical requests are compared, as the start of a sentence: "the URL says", "the server saw". */
export interface Sides {
  readonly ours: string;
  readonly theirs: string;
  /** Differences that are told elsewhere. */
  readonly except?: readonly CauseCode[] | undefined;
}

/** What the URL says, and what the server has computed. */
export const URL_AND_SERVER: Sides = { ours: "the URL says", theirs: "the server saw" };

/**
 * Compares two canonical requests line by line, in the order in which they stand. `undefined` where they are the same.
 *
 * @param ours what the URL implies
 * @param theirs what the server computed from the request that reached it
 */
export function compareCanonicalRequests(ours: string, theirs: string, sides: Sides): Cause | undefined {
  const a = readCanonicalRequest(ours);
  const b = readCanonicalRequest(theirs);
  const causes = [
    ...methodDifference(a, b, sides),
    ...pathDifference(a, b, sides),
    ...queryDifference(a.query, b.query, sides),
    ...headerDifferences(a, b, sides),
    ...lineDifference("SIGNED_HEADERS", "list of signed headers", [a.signedHeaders, b.signedHeaders], sides),
    ...lineDifference("PAYLOAD", "payload hash", [a.payload, b.payload], sides),
  ].filter(({ code }) => sides.except?.includes(code) !== true);
  const [first] = causes;
  if (first === undefined) return undefined;
  return {
    ...first,
    sentence: causes.map(({ sentence }) => capital(sentence)).join(" Also: "),
    evidence: causes.flatMap(({ evidence }) => evidence),
  };
}

interface Difference extends Omit<Cause, "evidence"> {
  readonly lines: readonly [ours: string, theirs: string];
}

function difference(sides: Sides, { code, sentence, lines: [ours, theirs], fix }: Difference): Cause {
  return { code, sentence, evidence: [`${sides.ours}: ${ours}`, `${sides.theirs}: ${theirs}`], fix };
}

function methodDifference(a: CanonicalLines, b: CanonicalLines, sides: Sides): readonly Cause[] {
  if (a.method === b.method) return [];
  const sentence = `${sides.ours} ${a.method}, and ${sides.theirs} ${b.method}.`;
  return [
    difference(sides, {
      code: "METHOD",
      sentence,
      lines: [a.method, b.method],
      fix: `Send ${a.method}: a signature is for one method only.`,
    }),
  ];
}

function pathDifference(a: CanonicalLines, b: CanonicalLines, sides: Sides): readonly Cause[] {
  if (a.path === b.path) return [];
  const how = pathSpellings(a.path, a.path).find(([, path]) => path === b.path)?.[0];
  return [
    difference(sides, {
      code: "PATH",
      sentence:
        how === undefined
          ? `${sides.theirs} another path than ${sides.ours}.`
          : `${sides.theirs} the path in another spelling: ${how}.`,
      lines: [a.path, b.path],
      fix: KEEP_PATH,
    }),
  ];
}

function queryDifference(ours: string, theirs: string, sides: Sides): readonly Cause[] {
  if (ours === theirs) return [];
  const a = new Set(ours.split("&").filter((token) => token !== ""));
  const b = new Set(theirs.split("&").filter((token) => token !== ""));
  const missing = [...a].filter((token) => !b.has(token));
  const extra = [...b].filter((token) => !a.has(token));
  return [
    difference(sides, {
      code: "QUERY",
      sentence: querySentence(missing, extra, sides),
      lines: [missing.join("&") || ours, extra.join("&") || theirs],
      fix: "Put every parameter into the request before it is signed, send spaces as %20 and plus signs as %2B, and change nothing afterwards.",
    }),
  ];
}

/** How two queries differ, by the tokens that only one of them has. */
function querySentence(missing: readonly string[], extra: readonly string[], { ours, theirs }: Sides): string {
  const names = (tokens: readonly string[]): string => tokens.map(nameOf).join(", ");
  const changed = missing.map(nameOf).filter((name) => extra.some((token) => nameOf(token) === name));
  const differInPlus = missing.every(
    (token) => extra.includes(token.replaceAll("%20", "%2B")) || extra.includes(token.replaceAll("%2B", "%20")),
  );
  if (changed.length > 0 && differInPlus)
    return `The query differs in a plus: it was read as a space, or a space as a plus (${changed.join(", ")}).`;
  if (changed.length > 0)
    return `The query parameter ${changed.join(", ")} has another value: ${theirs} not what ${ours}.`;
  if (missing.length > 0 && extra.length > 0)
    return `The query differs: ${names(missing)} is missing and ${names(extra)} was added.`;
  if (extra.length > 0)
    return `The query parameter ${names(extra)} was added: ${theirs} it, and it is not in what ${ours}.`;
  if (missing.length > 0) return `The query parameter ${names(missing)} is missing from what ${theirs}.`;
  return `The query is in another order or spelling in what ${theirs}.`;
}

function headerDifferences(a: CanonicalLines, b: CanonicalLines, sides: Sides): readonly Cause[] {
  const names = [...new Set([...a.headers.keys(), ...b.headers.keys()])];
  return names.flatMap((name) => {
    const ours = a.headers.get(name);
    const theirs = b.headers.get(name);
    if (ours === theirs) return [];
    if (name === "host") {
      if (isRedirected(ours, theirs)) return [redirectedCause(ours, theirs)];
      return [
        difference(sides, {
          code: "HOST",
          sentence: `${sides.theirs} the host ${theirs ?? "(none)"}, and ${sides.ours} ${ours ?? "(none)"}: a proxy or the client changed the Host header.`,
          lines: [`host:${ours ?? ""}`, `host:${theirs ?? ""}`],
          fix: "Sign with the host that clients use (endpoint), and let proxies pass the Host header on unchanged.",
        }),
      ];
    }
    const saw = theirs === undefined || theirs === "" ? "no" : "another";
    return [
      difference(sides, {
        code: "HEADER",
        sentence: `${sides.theirs} ${saw} ${name} header${saw === "no" ? ", and it was signed" : ` (${theirs ?? ""})`}.`,
        lines: [`${name}:${ours ?? ""}`, `${name}:${theirs ?? ""}`],
        fix: `Send ${name} with exactly the value that was signed.`,
      }),
    ];
  });
}

function lineDifference(
  code: CauseCode,
  what: string,
  lines: readonly [string, string],
  sides: Sides,
): readonly Cause[] {
  if (lines[0] === lines[1]) return [];
  const sentence = `The ${what} differs: ${sides.ours} ${lines[0]}, and ${sides.theirs} ${lines[1]}.`;
  const fix =
    code === "PAYLOAD"
      ? "Sign with UNSIGNED-PAYLOAD, or send x-amz-content-sha256 with the value that was signed."
      : "Sign again: the list of signed headers is part of the signature.";
  return [difference(sides, { code, sentence, lines, fix })];
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** Amazon's global host, which answers for a bucket elsewhere with a redirect to the host of its region. */
function isRedirected(ours: string | undefined, theirs: string | undefined): boolean {
  const global = /^(?:.+\.)?s3\.amazonaws\.com$/;
  return (
    global.test(ours ?? "") &&
    amazonRegion(theirs ?? "") !== undefined &&
    amazonBucket(ours ?? "") === amazonBucket(theirs ?? "")
  );
}

function redirectedCause(ours = "", theirs = ""): Cause {
  return {
    code: "ENDPOINT",
    sentence: `The URL has the global host ${ours}, and the request came to ${theirs}: most likely S3 answered with a redirect to the bucket's region, and the client followed it. The signature is for the first host only.`,
    evidence: [`host:${ours}`, `host:${theirs}`],
    fix: `Sign with the bucket's regional endpoint (s3.${amazonRegion(theirs)}.amazonaws.com).`,
  };
}
