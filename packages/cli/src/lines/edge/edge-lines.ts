import type { Bindings, ResponseOverrides, Verifier } from "daypass";
import type { ExplainKey } from "daypass/explain";
import { BIND } from "../bindings.ts";
import { cache } from "../cache.ts";
import {
  checked,
  type FieldKind,
  type Fields,
  fields,
  type JsonObject,
  missing,
  nested,
  number,
  oneOf,
  oneOrMore,
  text,
  textList,
  textMap,
  textOrList,
} from "../fields.ts";
import { LIFETIME, type LineLifetime, lifetime, signingTime } from "../lifetime.ts";
import { ENFORCES, type LineResult, type LineScheme } from "../line-scheme.ts";
import { ownOrigin } from "../origins.ts";
import { type TimedSigner, timedSigner } from "../timed-signer.ts";

type Kinds = Readonly<Record<string, FieldKind>>;

/** What only some schemes can bind: passed on, so that the library's refusal says what can. */
const CONSTRAINTS: Kinds = { prefix: text };
/** `withoutExpiry`, of schemes whose URLs may have no end. */
export const ENDLESS: Kinds = { withoutExpiry: oneOf("accept") };
/** `allowUnsigned`, of schemes that leave parameters unsigned. */
export const UNSIGNED: Kinds = { allowUnsigned: textList };
export const SECRET: Kinds = { secret: text };

/** The lines of one edge scheme, as data: what the library's own options and requests are called there. */
export interface EdgeLines<C, O, R, V> {
  readonly scheme: string;
  /** The fields of `credentials`. */
  readonly credentials: Kinds;
  /** What both sides have to agree about, in lines of both kinds. */
  readonly options?: Kinds;
  /** What a request has beside URL, method, life, `bind` and `response`. */
  readonly request?: Kinds;
  /** What an entry has beside origins, methods and `maxLife`. */
  readonly entry?: Kinds;
  /** Which of the credentials have to be there. */
  readonly required: readonly (keyof C & string)[];
  signer(
    key: C & O & { readonly clock: () => Date },
    line: JsonObject,
  ): { sign(request: R): LineResult | Promise<LineResult> };
  /** Completes a request where the library does not take data. */
  prepare?(request: R, line: JsonObject): R;
  verifier(key: C, options: O & V & EdgeVerifying): Verifier;
  /** The key as `explain` has it, where it has other fields than `credentials`. */
  explainKey?(key: C): object;
}

/** What every verifier of edge tokens takes. */
export interface EdgeVerifying {
  readonly origins: readonly string[];
  readonly methods: readonly string[] | undefined;
  readonly maxLife: number | undefined;
  readonly clock: () => Date;
  readonly enforces: typeof ENFORCES;
}

interface EdgeLine extends LineLifetime {
  readonly url?: string;
  readonly method?: string;
  readonly credentials?: JsonObject;
  readonly bind?: Bindings;
  readonly response?: ResponseOverrides;
  readonly ip?: string | readonly string[];
}

/** What signs and verifies the lines of an edge scheme. Their fields have been checked by then, and are the library's types. */
export function edgeLines<C, O, R, V>(scheme: EdgeLines<C, O, R, V>): LineScheme {
  const { options = {}, request = {}, entry = {} } = scheme;
  const credentials = nested(fields(scheme.credentials));
  const common = { scheme: text, ...options };
  const asked: Kinds = { ...CONSTRAINTS, ...request };
  const line: Fields = fields({
    ...{ ...common, credentials, url: text, method: text, ip: textOrList },
    ...{ ...asked, bind: nested(BIND), response: textMap, ...LIFETIME },
  });
  const verifying: Fields = fields({
    ...{ ...common, credentials: oneOrMore(credentials) },
    ...{ ...entry, origins: textList, methods: textList, maxLife: number },
  });
  const keysOf = ({ credentials: keys }: EdgeEntry): readonly JsonObject[] =>
    (keys === undefined ? [undefined] : [keys].flat()).map((key) => checkKey(scheme, key));
  return {
    signer() {
      const signers = cache<TimedSigner<R>>();
      return (object) => {
        const { credentials: key, url, method, bind, ip, response, ...rest } = checked<EdgeLine>(object, line);
        checkKey(scheme, key);
        const time = signingTime(rest);
        const own = picked(object, options);
        const name = JSON.stringify([key, own, object["as"]]);
        const signer = signers(name, () =>
          timedSigner<R>((clock) => scheme.signer({ ...key, ...own, clock } as C & O & typeof CLOCK, object)),
        );
        const wish = {
          ...picked(object, asked),
          ...{ url, method, response, bind: ip === undefined ? bind : { ...bind, ip }, ...lifetime(rest) },
        } as R;
        return signer.sign(scheme.prepare?.(wish, object) ?? wish, time);
      };
    },
    explainKeys(object) {
      const keys = keysOf(checked(object, verifying));
      const own = picked(object, options);
      return keys.map((key) => {
        const fields = scheme.explainKey?.(key as C) ?? key;
        return { ...own, ...fields, scheme: scheme.scheme } as unknown as ExplainKey;
      });
    },
    verifiers(object, { origin, clock }) {
      const entered = checked<EdgeEntry>(object, verifying);
      const keys = keysOf(entered);
      const { origins = [ownOrigin(origin)], methods, maxLife } = entered;
      // One for each key, which are tried in turn.
      return keys.map((key) => {
        const own = { ...picked(object, options), ...picked(object, entry) };
        const shared = { origins, methods, maxLife, clock, enforces: ENFORCES };
        return [scheme.scheme, scheme.verifier(key as C, { ...own, ...shared } as O & V & EdgeVerifying)];
      });
    },
  };
}

declare const CLOCK: { readonly clock: () => Date };

interface EdgeEntry {
  readonly credentials?: JsonObject | readonly JsonObject[];
  readonly origins?: readonly string[];
  readonly methods?: readonly string[];
  readonly maxLife?: number;
}

function checkKey<C, O, R, V>({ scheme, required }: EdgeLines<C, O, R, V>, key: JsonObject | undefined): JsonObject {
  if (key !== undefined && required.every((name) => key[name] !== undefined)) return key;
  throw missing("credentials", `give ${required.join(" and ")} in each ${scheme} line`);
}

function picked(object: JsonObject, kinds: Kinds): JsonObject {
  return Object.fromEntries(
    Object.keys(kinds)
      .filter((name) => name !== "as" && object[name] !== undefined)
      .map((name) => [name, object[name]]),
  );
}
