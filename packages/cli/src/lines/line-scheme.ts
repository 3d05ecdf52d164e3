import { type Clock, DaypassError, type ObligationKind } from "daypass";
import type { ExplainKey } from "daypass/explain";
import {
  both,
  checked,
  type DialectVerifier,
  dated,
  type Fields,
  fields,
  isObject,
  type JsonObject,
  type LineResult,
  type LineSigner,
  missing,
  type SchemeFields,
  type SignFields,
  schemes,
  text,
} from "daypass/schemes";
import { didYouMean } from "../nearest-name.ts";
import { unchecked } from "../unchecked.ts";
import { keyTools } from "./key-tools.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "./lifetime.ts";
import { memoizeByName } from "./memoize-by-name.ts";

/** The batch lines of one scheme. */
export interface LineScheme {
  /** Makes the function that signs lines. Each thread calls it once, so that signers are kept from line to line. */
  signer(): SignLine;
  /** The verifiers of one entry of a line's `schemes`. Rejects with `INVALID_INPUT` for a misspelt field. */
  verifiers(entry: JsonObject, context: LineContext): Promise<readonly DialectVerifier[]>;
  /** The keys of an entry in the form that `explain` takes. Throws as `verifiers` does. */
  explainKeys(entry: JsonObject): readonly ExplainKey[];
}

/** Signs one line of its scheme. Throws or rejects with the refusal. */
export type SignLine = (line: JsonObject) => LineResult | Promise<LineResult>;

/** What every verifier of a line is made with. */
export interface LineContext {
  /** `scheme://authority` of the request. The verifier trusts it if the entry has no origins. */
  readonly origin: string;
  readonly clock: Clock;
}

/** The command serves nothing: the grant reports the obligations, and the caller of the command discharges them. */
const ENFORCES: readonly ObligationKind[] = [
  "body-length",
  "body-sha256",
  "body-checksum",
  "create-only",
  "encryption-scope",
  "uses",
  "response",
  "strip",
];

const rows = Object.values(schemes);

/** Loads the scheme that a line names. Rejects with `INVALID_INPUT` for an unknown name. */
export async function loadScheme(name: unknown): Promise<LineScheme> {
  const row = rows.find(({ id }) => id === name);
  if (row?.fields !== undefined) return lineScheme((await row.fields()).fields);
  const known = rows.flatMap(({ id, fields }) => (fields === undefined ? [] : [id]));
  const found = name === undefined ? "missing" : JSON.stringify(name).slice(0, 40);
  const advice = didYouMean(String(name), known) || '. Pass the name of a scheme, such as "s3" or "url"';
  throw new DaypassError("INVALID_INPUT", `scheme is ${found}${advice}`);
}

// Each line of a batch asks for a name.
const names = new Map<string, string>();

/** The scheme that lines name for the scheme of a grant: `s3/v2` is `s3` in an older version, `media-cdn/token` is its own. */
export function schemeOfGrant(identifier: string): string {
  const known = names.get(identifier);
  if (known !== undefined) return known;
  const found = rows
    .filter(({ id, fields }) => fields !== undefined && `${identifier}/`.startsWith(`${id}/`))
    .sort((a, b) => b.id.length - a.id.length);
  const name = found[0]?.id ?? identifier;
  names.set(identifier, name);
  return name;
}

function lineScheme(scheme: SchemeFields): LineScheme {
  const known = fields({ scheme: text, ...scheme.entry });
  return {
    signer() {
      const signLines = new Map<SignFields, SignLine>();
      return (line) => {
        const kind = scheme.line(line);
        let signLine = signLines.get(kind);
        if (signLine === undefined) {
          signLine = lineSigner(kind);
          signLines.set(kind, signLine);
        }
        return signLine(line);
      };
    },
    async verifiers(entry, context) {
      return scheme.verifiers(checked(entry, known), { ...context, enforces: ENFORCES, tools: keyTools });
    },
    explainKeys: (entry) => scheme.explainKeys(checked(entry, known), keyTools) as readonly ExplainKey[],
  };
}

type Mutable = Record<string, unknown>;

/** Signs lines with these fields. Keeps signers by their options, because keys are derived and checked once for each. */
function lineSigner(kind: SignFields): SignLine {
  const known: Fields = fields({ scheme: text, ...kind.options, ...kind.request, ...LIFETIME });
  const optionNames = Object.keys(kind.options);
  const requestNames = new Set(Object.keys(kind.request));
  const signers = memoizeByName<TimedSigner | Promise<TimedSigner>>();
  let last: { readonly line: JsonObject; signer: TimedSigner | Promise<TimedSigner> } | undefined;
  return (object) => {
    // One loop, and no second object of options: this runs for every line of a manifest.
    const request: Mutable = {};
    for (const name in object) {
      if (known.get(name)?.accepts(object[name]) !== true) checked(object, known);
      if (requestNames.has(name)) request[name] = object[name];
    }
    const line: LineLifetime = object;
    const time = signingTime(line);
    // Most manifests are for one account. Comparing costs a tenth of naming.
    if (last === undefined || !hasSame(last.line, object, optionNames)) {
      const options = pick(object, optionNames);
      expectOptions(options, kind);
      last = { line: object, signer: signers(JSON.stringify(options), () => timedSigner(kind, options)) };
    }
    const { expiresIn, expiresAt, notBefore, stableWindow } = lifetime(line);
    request["expiresIn"] = expiresIn;
    if (expiresAt !== undefined) request["expiresAt"] = expiresAt;
    if (notBefore !== undefined) request["notBefore"] = notBefore;
    if (stableWindow !== undefined) request["stableWindow"] = stableWindow;
    if (request["ip"] !== undefined) bindAddress(request);
    const asked = kind.prepare?.(unchecked(request)) ?? request;
    const { signer } = last;
    if (!(signer instanceof Promise)) return signer(asked, time);
    const used = last;
    return signer.then((made) => {
      used.signer = made;
      return made(asked, time);
    });
  };
}

function pick(object: JsonObject, names: readonly string[]): Mutable {
  return Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]));
}

function expectOptions(options: JsonObject, { required }: SignFields): void {
  for (const [path, hint] of Object.entries(required)) {
    const [outer = "", inner] = path.split(".", 2);
    const value = options[outer];
    const found = inner !== undefined && isObject(value) ? value[inner] : value;
    if (found === undefined) throw missing(path, hint);
  }
}

/** `ip` is another name for `bind.ip`. */
function bindAddress(request: Mutable): void {
  const { ip, bind } = request as { readonly ip?: unknown; readonly bind?: JsonObject };
  if (bind?.["ip"] !== undefined) throw both("ip", "bind.ip");
  request["bind"] = { ...bind, ip };
  delete request["ip"];
}

/** A signer that gets the time with each request. */
type TimedSigner = (request: object, time: Date) => LineResult | Promise<LineResult>;

function timedSigner(kind: SignFields, options: Mutable): TimedSigner | Promise<TimedSigner> {
  const { credentials } = options;
  let now = new Date();
  const dates = isObject(credentials) ? { credentials: dated(credentials) } : {};
  const made = kind.signer(unchecked({ ...options, ...dates, clock: () => now }), keyTools);
  const timed =
    ({ sign }: LineSigner): TimedSigner =>
    (request, time) => {
      now = time;
      return sign(unchecked(request));
    };
  return made instanceof Promise ? made.then(timed) : timed(made);
}

function hasSame(one: JsonObject, other: JsonObject, names: readonly string[]): boolean {
  return names.every((name) => one[name] === other[name] || isSame(one[name], other[name]));
}

/** Whether two values of JSON are equal. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return JSON.stringify(one) === JSON.stringify(other);
  let count = 0;
  for (const name in one) {
    if (!isSame(one[name], other[name])) return false;
    count += 1;
  }
  for (const _ in other) count -= 1;
  return count === 0;
}
