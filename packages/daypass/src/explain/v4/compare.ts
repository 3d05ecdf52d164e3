import { amazonBucket, amazonRegion } from "../amazon-host.ts";
import { causeOf } from "../cause/combine-causes.ts";
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
  const [method = "", path = "", query = "", ...rest] = text.split("\n");
  const count = rest.includes("") ? rest.indexOf("") : rest.length;
  const headers = new Map(
    rest.slice(0, count).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  return { method, path, query, headers, signedHeaders: rest[count + 1] ?? "", payload: rest[count + 2] ?? "" };
}

/** The two sides of a comparison, as starts of a sentence: "the URL says", "the server saw". */
export interface Sides {
  readonly ours: string;
  readonly theirs: string;
  /** Differences that are reported elsewhere. */
  readonly except?: readonly CauseCode[] | undefined;
}

/** The URL, and the server's canonical request. */
export const URL_AND_SERVER: Sides = { ours: "the URL says", theirs: "the server saw" };

type Difference = readonly [
  code: CauseCode,
  sentence: string,
  lines: readonly [ours: string, theirs: string],
  fix: string,
];

/**
 * Compares two canonical requests line by line. `undefined` if they are the same.
 *
 * @param ours the canonical request that the URL implies
 * @param theirs the canonical request that the server computed
 */
export function compareCanonicalRequests(ours: string, theirs: string, sides: Sides): Cause | undefined {
  const [a, b] = [readCanonicalRequest(ours), readCanonicalRequest(theirs)];
  const causes = [...differences(a, b, sides)].filter(([code]) => sides.except?.includes(code) !== true);
  const [first] = causes;
  if (first === undefined) return undefined;
  const [code, , , fix] = first;
  const sentence = causes.map(([, text]) => text.charAt(0).toUpperCase() + text.slice(1)).join(" Also: ");
  const evidence = causes.flatMap(([, , lines]) => [`${sides.ours}: ${lines[0]}`, `${sides.theirs}: ${lines[1]}`]);
  return causeOf(code, sentence, fix, ...evidence);
}

function* differences(a: CanonicalLines, b: CanonicalLines, sides: Sides): Generator<Difference> {
  const { ours, theirs } = sides;
  if (a.method !== b.method) {
    const sentence = `${ours} ${a.method}, and ${theirs} ${b.method}.`;
    yield ["METHOD", sentence, [a.method, b.method], `Send ${a.method}: a signature is for one method only.`];
  }
  if (a.path !== b.path) {
    const how = pathSpellings(a.path, a.path).find(([, path]) => path === b.path)?.[0];
    const known = `${theirs} the path in another spelling: ${how}.`;
    yield ["PATH", how === undefined ? `${theirs} another path than ${ours}.` : known, [a.path, b.path], KEEP_PATH];
  }
  if (a.query !== b.query) yield queryDifference(a.query, b.query, sides);
  for (const name of new Set([...a.headers.keys(), ...b.headers.keys()])) {
    const [mine, other] = [a.headers.get(name), b.headers.get(name)];
    if (mine !== other) yield headerDifference(name, { mine, other, sides });
  }
  if (a.signedHeaders !== b.signedHeaders) {
    const sentence = `The list of signed headers differs: ${ours} ${a.signedHeaders}, and ${theirs} ${b.signedHeaders}.`;
    const fix = "Sign again: the list of signed headers is part of the signature.";
    yield ["SIGNED_HEADERS", sentence, [a.signedHeaders, b.signedHeaders], fix];
  }
  if (a.payload !== b.payload) {
    const sentence = `The payload hash differs: ${ours} ${a.payload}, and ${theirs} ${b.payload}.`;
    const fix = "Sign with UNSIGNED-PAYLOAD, or send x-amz-content-sha256 with the value that was signed.";
    yield ["PAYLOAD", sentence, [a.payload, b.payload], fix];
  }
}

function queryDifference(ours: string, theirs: string, sides: Sides): Difference {
  const [a, b] = [ours, theirs].map((query) => new Set(query.split("&").filter((token) => token !== "")));
  const missing = [...(a ?? [])].filter((token) => b?.has(token) !== true);
  const extra = [...(b ?? [])].filter((token) => a?.has(token) !== true);
  const fix =
    "Put every parameter into the request before it is signed, send spaces as %20 and plus signs as %2B, and change nothing afterwards.";
  return ["QUERY", querySentence(missing, extra, sides), [missing.join("&") || ours, extra.join("&") || theirs], fix];
}

/** The difference of two queries, by the tokens that only one of them has. */
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

interface Values {
  readonly mine: string | undefined;
  readonly other: string | undefined;
  readonly sides: Sides;
}

function headerDifference(name: string, { mine, other, sides: { ours, theirs } }: Values): Difference {
  const lines = [`${name}:${mine ?? ""}`, `${name}:${other ?? ""}`] as const;
  if (name !== "host") {
    const how = other ? `another ${name} header (${other})` : `no ${name} header, and it was signed`;
    return ["HEADER", `${theirs} ${how}.`, lines, `Send ${name} with exactly the value that was signed.`];
  }
  const region = amazonRegion(other ?? "");
  const isGlobal = /^(?:.+\.)?s3\.amazonaws\.com$/.test(mine ?? "");
  if (isGlobal && region !== undefined && amazonBucket(mine ?? "") === amazonBucket(other ?? "")) {
    const sentence = `The URL has the global host ${mine}, and the request came to ${other}: most likely S3 answered with a redirect to the bucket's region, and the client followed it. The signature is for the first host only.`;
    const fix = `Sign with the bucket's regional endpoint (s3.${region}.amazonaws.com).`;
    return ["ENDPOINT", sentence, lines, fix];
  }
  const sentence = `${theirs} the host ${other ?? "(none)"}, and ${ours} ${mine ?? "(none)"}: a proxy or the client changed the Host header.`;
  const fix = "Sign with the host that clients use (endpoint), and let proxies pass the Host header on unchanged.";
  return ["HOST", sentence, lines, fix];
}
