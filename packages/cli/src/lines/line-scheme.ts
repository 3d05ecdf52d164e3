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
import { keyTools } from "./key-tools.ts";
import { LIFETIME, lifetime, signingTime } from "./lifetime.ts";
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
  const known = rows.filter(({ fields }) => fields !== undefined).map(({ id }) => JSON.stringify(id));
  const found = name === undefined ? "none" : JSON.stringify(name).slice(0, 40);
  throw new DaypassError(
    "INVALID_INPUT",
    `expected scheme ${known.join(" or ")}, found ${found}: this release knows no other`,
  );
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
  const signers = memoizeByName<TimedSigner | Promise<TimedSigner>>();
  let last: { readonly options: Mutable; signer: TimedSigner | Promise<TimedSigner> } | undefined;
  return (object) => {
    const line = checked(object, known);
    const options: Mutable = {};
    const request: Mutable = {};
    for (const name in object) {
      if (Object.hasOwn(kind.options, name)) options[name] = object[name];
      else if (Object.hasOwn(kind.request, name)) request[name] = object[name];
    }
    expectOptions(options, kind);
    const time = signingTime(line);
    // Most manifests are for one account. Comparing costs a tenth of naming.
    if (last === undefined || !isSame(last.options, options))
      last = { options, signer: signers(JSON.stringify(options), () => timedSigner(kind, options)) };
    Object.assign(request, lifetime(line));
    bindAddress(request);
    const asked = kind.prepare?.(request as never) ?? request;
    const { signer } = last;
    if (!(signer instanceof Promise)) return signer(asked, time);
    const used = last;
    return signer.then((made) => {
      used.signer = made;
      return made(asked, time);
    });
  };
}

function expectOptions(options: JsonObject, { required }: SignFields): void {
  for (const path in required) {
    const dot = path.indexOf(".");
    const outer = options[dot < 0 ? path : path.slice(0, dot)];
    const value = dot < 0 || !isObject(outer) ? outer : outer[path.slice(dot + 1)];
    if (value === undefined) throw missing(path, required[path] as string);
  }
}

/** `ip` is another name for `bind.ip`. */
function bindAddress(request: Mutable): void {
  const { ip, bind } = request as { readonly ip?: unknown; readonly bind?: JsonObject };
  if (ip === undefined) return;
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
  const made = kind.signer({ ...options, ...dates, clock: () => now } as never, keyTools);
  const timed =
    ({ sign }: LineSigner): TimedSigner =>
    (request, time) => {
      now = time;
      return sign(request as never);
    };
  return made instanceof Promise ? made.then(timed) : timed(made);
}

/** Whether two values of JSON are equal. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  for (const name in other) if (!Object.hasOwn(one, name)) return false;
  for (const name in one) if (!isSame((one as JsonObject)[name], (other as JsonObject)[name])) return false;
  return true;
}
