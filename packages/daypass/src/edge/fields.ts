import type { ObligationKind, Verifier } from "../core/contracts.ts";
import {
  type JsonObject,
  type Kinds,
  missing,
  number,
  oneOf,
  oneOrMore,
  record,
  text,
  textList,
  textMap,
  textOrList,
} from "../core/fields.ts";
import { BIND, ownOrigin, present } from "../core/line-fields.ts";
import type { KeyTools, LineSigner, SchemeFields } from "../core/scheme.ts";
import { unchecked } from "../core/unchecked.ts";

/** `withoutExpiry`, for schemes whose URLs need not expire. */
export const ENDLESS: Kinds = { withoutExpiry: oneOf("accept") };
/** `allowUnsigned`, for schemes that leave parameters unsigned. */
export const UNSIGNED: Kinds = { allowUnsigned: textList };
/** The one field of most credentials. */
export const SECRET: Kinds = { secret: text };

/** The lines of one edge token. All fields are checked before the functions get them. */
export interface EdgeFields {
  readonly scheme: string;
  /** The fields of `credentials`. */
  readonly credentials: Kinds;
  /** The credentials that every line must have. */
  readonly required: readonly string[];
  /** Options of signer and verifier, in lines of both kinds. */
  readonly options?: Kinds;
  /** Options of the signer alone, such as `as`. */
  readonly signing?: Kinds;
  /** Fields of a request other than URL, method, lifetime, `prefix`, `bind` and `response`. */
  readonly request?: Kinds;
  /** Fields of an entry other than origins, methods and `maxLife`. */
  readonly entry?: Kinds;
  /** Makes a signer of credentials, options and clock in one object. */
  signer(options: never, tools: KeyTools): LineSigner;
  /** Changes the checked request into the form that the library takes. */
  prepare?(request: never): object;
  /** Makes the verifier of one key. */
  verifier(key: never, options: EdgeOptions, tools: KeyTools): Verifier;
  /** The key in the form that `explain` takes, if it differs from `credentials`. */
  explainKey?(key: never, tools: KeyTools): object;
}

/** What every verifier of edge tokens takes, and the fields of `options` and `entry`. */
export interface EdgeOptions {
  readonly origins: readonly string[];
  readonly methods: readonly string[] | undefined;
  readonly maxLife: number | undefined;
  readonly clock: () => Date;
  readonly enforces: readonly ObligationKind[];
}

/** Completes the fields of an edge token with those that all of them have. */
export function edgeFields(scheme: EdgeFields): SchemeFields {
  const { options = {}, entry = {} } = scheme;
  const key = record(scheme.credentials);
  const keysOf = ({ credentials }: EdgeEntry): readonly JsonObject[] => {
    const keys = [credentials ?? []].flat();
    if (keys.length > 0 && keys.every((one) => scheme.required.every((name) => one[name] !== undefined))) return keys;
    throw missing("credentials", `give ${scheme.required.join(" and ")} in each ${scheme.scheme} entry`);
  };
  const line = {
    options: { credentials: key, ...options, ...scheme.signing },
    request: {
      url: text,
      method: text,
      ip: textOrList,
      bind: BIND,
      response: textMap,
      prefix: text,
      ...scheme.request,
    },
    required: Object.fromEntries(
      ["credentials", ...scheme.required.map((name) => `credentials.${name}`)].map((name) => [
        name,
        `give ${scheme.required.join(" and ")} in each ${scheme.scheme} line`,
      ]),
    ),
    signer: ({ credentials, ...own }: SignerOptions, tools: KeyTools) =>
      scheme.signer(unchecked({ ...credentials, ...own }), tools),
    ...(scheme.prepare && { prepare: scheme.prepare }),
  };
  return {
    line: () => line,
    entry: {
      credentials: oneOrMore(key),
      origins: textList,
      methods: textList,
      maxLife: number,
      ...options,
      ...entry,
    },
    // One verifier for each key: they are tried in turn.
    verifiers(given: EdgeEntry, { origin, clock, enforces, tools }) {
      const { origins = [ownOrigin(origin)], methods, maxLife } = given;
      const shared = { ...present(given, { ...options, ...entry }), origins, methods, maxLife, clock, enforces };
      return keysOf(given).map((one) => [scheme.scheme, scheme.verifier(unchecked(one), shared, tools)]);
    },
    explainKeys: (given: EdgeEntry & JsonObject, tools) =>
      keysOf(given).map((one) => ({
        ...present(given, options),
        ...(scheme.explainKey?.(unchecked(one), tools) ?? one),
        scheme: scheme.scheme,
      })),
  };
}

interface SignerOptions {
  readonly credentials: JsonObject;
}

interface EdgeEntry {
  readonly credentials?: JsonObject | readonly JsonObject[];
  readonly origins?: readonly string[];
  readonly methods?: readonly string[];
  readonly maxLife?: number;
}
