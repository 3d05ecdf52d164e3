import type { Bindings, Lifetime, ResponseOverrides, WireTarget } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { queryTokens, unsupportedConstraint } from "../../core/validate-options.ts";
import { parseTarget, trimBlank } from "../../wire/raw-target.ts";
import { encodeText, hasDotSegment, isOrigin, joinList, networksValue } from "./canonical.ts";
import { isParameter } from "./parameters.ts";
import { detectUrl } from "./parse.ts";

/** One Daypass URL to sign. */
export interface UrlSignRequest extends Lifetime {
  /**
   * The URL in the spelling that URL parsers do not change: `https://host/path?query`, without fragment. Another
   * spelling is refused with an error that says what to change; it is never rewritten.
   */
  readonly url: string;
  /** Methods that are granted, `["GET"]` by default. `GET` includes `HEAD`. */
  readonly methods?: readonly string[] | undefined;
  /** First instant of validity, rounded up to a second; the lifetime still counts from the time of signing. */
  readonly notBefore?: Date | undefined;
  /**
   * Grants every path that starts with these segments: `"/talks/2026/"`, or how many segments of the URL's path are
   * fixed. The URL itself is one of those paths.
   */
  readonly prefix?: string | number | undefined;
  /** The purpose of the URL; the verifier must be configured with the same text. */
  readonly audience?: string | undefined;
  /** Who the URL is for: the verifier's caller must prove this identity. It is visible in the URL: use an opaque id. */
  readonly subject?: string | undefined;
  /** 16 to 64 of A-Z a-z 0-9 _ -, to make equal grants distinct. */
  readonly nonce?: string | undefined;
  /** How often the grant may be used; needs a verifier with state. A nonce is generated unless you set one; with `stableWindow`, you must. */
  readonly uses?: number | undefined;
  /** Write only if nothing exists there. */
  readonly createOnly?: boolean | undefined;
  /** Query parameters that may be added or removed, such as `utm_source`. The handler never sees them. */
  readonly vary?: readonly string[] | undefined;
  readonly bind?: Bindings | undefined;
  /** Headers of the response. `contentEncoding` and `expires` are not supported. */
  readonly response?: ResponseOverrides | undefined;
}

/** A URL that is ready to be given `dp-*` parameters. */
interface SignableUrl {
  readonly origin: string;
  /** The target to sign, without the parameters. */
  readonly wire: WireTarget;
  /** The bound headers, lower-case names, in ascending order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

// Bulk signing is for one origin nearly always.
let lastOrigin: string | undefined;

/** Splits the URL, and adds the bound headers and query. The parser checks the grammar. */
export function readUrl({ url, bind }: UrlSignRequest): SignableUrl {
  const [, origin = "", path = "", query] = /^([a-z]+:\/\/[^/?#]*)(\/[^?]*)(?:\?(.+))?$/s.exec(url) ?? [];
  if (origin !== lastOrigin && !isOrigin(origin)) {
    throw invalidInput(
      "url",
      "the whole URL: http(s)://host[:port] in lower case, without a default port, and a path",
      url,
    );
  }
  lastOrigin = origin;
  if (hasDotSegment(path)) throw refusal("DOT_SEGMENTS", "url has dot segments, which browsers remove");
  members(bind?.query);
  const tokens = [...(query === undefined ? [] : [query]), ...queryTokens(bind?.query)];
  // As text each pair begins with its name and a comma, which comes before all that names are made of.
  const headers = members(bind?.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort();
  if (headers.some(([, value]) => value !== trimBlank(value))) {
    throw refusal("INVALID_INPUT", "a value of bind.headers has spaces around it. Trim it");
  }
  const type = headers.find(([name]) => name === "content-type")?.[1];
  if (type !== undefined && type !== (bind?.contentType ?? type))
    throw refusal("INVALID_INPUT", "bind.contentType and bind.headers set different content types. Set one");
  const target = tokens.length > 0 ? `${path}?${tokens.join("&")}` : path;
  if (detectUrl({ target }))
    throw refusal(
      "INVALID_INPUT",
      "the query of url has dp-* parameters, which the signer adds. Pass the URL as it was before signing",
    );
  return { origin, wire: parseTarget(target), headers };
}

/** The members of an optional object. The members of a text would be its characters, and a number or `Headers` has none. */
function members<T>(options: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[];
function members(options: object | undefined): readonly (readonly [string, unknown])[];
function members(options: object | undefined): readonly (readonly [string, unknown])[] {
  if (options === undefined) return [];
  if (typeof options === "object" && !(Symbol.iterator in options)) return Object.entries(options);
  throw refusal("INVALID_INPUT", "bind, bind.headers, bind.query or response is not a plain object. Pass an object");
}

/** The parameter that an option becomes, and the spelling of its value there. `undefined` has no spelling. */
type Spelling<T> = readonly [parameter: string, spell: (value: T) => string | undefined];
type Spellings<O> = { readonly [N in keyof O]-?: Spelling<NonNullable<O[N]>> | undefined };

/** An option that the signer reads when it writes the URL. */
const ELSEWHERE = undefined;

const REQUEST: Spellings<UrlSignRequest> = {
  url: ELSEWHERE,
  methods: ELSEWHERE,
  expiresIn: ELSEWHERE,
  expiresAt: ELSEWHERE,
  stableWindow: ELSEWHERE,
  notBefore: ELSEWHERE,
  bind: ELSEWHERE,
  response: ELSEWHERE,
  prefix: [
    "dp-prefix",
    (prefix) => String(typeof prefix === "string" ? Math.max(1, prefix.split("/").length - 2) : prefix),
  ],
  audience: ["dp-audience", encodeText],
  subject: ["dp-subject", encodeText],
  nonce: ["dp-nonce", String],
  uses: ["dp-uses", String],
  createOnly: ["dp-create", (createOnly) => (createOnly ? "1" : undefined)],
  vary: ["dp-vary", joinList],
};

const BIND: Spellings<Bindings> = {
  query: ELSEWHERE,
  contentType: ["dp-type", encodeHeader],
  contentLength: ["dp-length", spellLength],
  sha256: ["dp-sha256", String],
  headers: ["dp-headers", (headers) => joinList(Object.keys(headers).map((name) => name.toLowerCase()))],
  ip: ["dp-ip", (ip) => networksValue([ip].flat())],
};

/**
 * The constraints of a request as parameters. Only the spelling is made here: what is wrong with a value, the parser says,
 * as it would to a verifier.
 */
export function constraints(request: UrlSignRequest): Record<string, string> {
  const parameters: Record<string, string> = {};
  const add = (options: object | undefined, spellings: Readonly<Record<string, Spelling<never> | undefined>>): void => {
    for (const [option, value] of members(options)) {
      // A misspelt option would be a constraint that is missing from the URL.
      if (!Object.hasOwn(spellings, option)) {
        const known = [...Object.keys(REQUEST), "bind.headers"].filter((name) => name !== option);
        throw refusal("INVALID_INPUT", unsupportedConstraint("a Daypass URL", option, undefined, known).message);
      }
      const spelling = spellings[option] as Spelling<unknown> | undefined;
      const text = value === undefined ? undefined : spelling?.[1](value);
      if (spelling && text !== undefined) parameters[spelling[0]] = text;
    }
  };
  add(request, REQUEST);
  add(request.bind, BIND);
  for (const [option, value] of members(request.response)) {
    if (value === undefined) continue;
    const name = `dp-response-${option.replace(/[A-Z]/g, "-$&").toLowerCase()}`;
    if (option.includes("-") || !isParameter(name)) {
      throw unsupportedConstraint("a Daypass URL", `response.${option}`, undefined, ["response"]);
    }
    parameters[name] = encodeHeader(value as string);
  }
  return parameters;
}

/** The options with the parameters that they become. */
export const SPELLINGS: readonly (readonly [option: string, spelling: unknown])[] = /* @__PURE__ */ Object.entries({
  ...BIND,
  ...REQUEST,
});

function spellLength(length: NonNullable<Bindings["contentLength"]>): string {
  if (typeof length === "number") return String(length);
  const { min = 0, max } = length;
  return min === max ? String(max) : `${min}-${max}`;
}

/**
 * Header text has no space, as hosts that re-serialise a query would turn it into "+". The optional space after ";" and
 * "," means nothing (RFC 9110 section 5.6.3) and is left out, except inside quoted strings.
 */
function encodeHeader(value: string): string {
  return encodeText(value.replace(/("(?:[^"\\]|\\.)*")|([;,])[ \t]+/g, "$1$2"));
}
