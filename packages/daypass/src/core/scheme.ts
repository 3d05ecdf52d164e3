import type { Clock, ObligationKind, SignedRequest, Verifier, WireRequest } from "./contracts.ts";
import type { JsonObject, Kinds } from "./fields.ts";

/** One scheme in the registry. The last three members load a module each, because most programs need none of them. */
export interface SchemeRow {
  /** The identifier that its grants carry, which is also its subpath: `"s3/v2"`. */
  readonly id: string;
  /** Query parameters, form fields and cookies that hold a signature or a session token, in lower case. Redaction hides their values. */
  readonly secretParameters: readonly string[];
  /** Loads the public module of the scheme. */
  load(): Promise<object>;
  /** Loads the fields of its batch lines. Absent if lines of another scheme make its URLs, as lines of `s3` do for `s3/v2`. */
  fields?(): Promise<{ readonly fields: SchemeFields }>;
  /** Loads examples that work: every suite over schemes runs on them. */
  example(): Promise<{ readonly examples: readonly SchemeExample[] }>;
}

/** The batch lines of a scheme as data, and how signers and verifiers are made of them. */
export interface SchemeFields {
  /** Fields of a line that signs. Throws `INVALID_INPUT` if the line names a version or kind that does not exist. */
  line(line: JsonObject): SignFields;
  /** Fields of an entry of `schemes`, which verifies, without `scheme`. */
  readonly entry: Kinds;
  /** The verifiers of an entry whose fields have been checked. */
  verifiers(entry: never, context: EntryContext): readonly DialectVerifier[] | Promise<readonly DialectVerifier[]>;
  /** The keys of an entry in the form that `explain` takes. */
  explainKeys(entry: never, tools: KeyTools): readonly object[];
}

/** The fields of lines that sign with one version of a scheme. `scheme` and the lifetime are added to them. */
export interface SignFields {
  /** Fields that configure the signer. Lines with the same values share one signer. */
  readonly options: Kinds;
  /** Fields that are passed to `sign`. */
  readonly request: Kinds;
  /** Options that a line must have, in dotted notation such as `"credentials.secret"`, each with what to do if it is missing. */
  readonly required: Readonly<Record<string, string>>;
  /** Makes a signer of the options. The end of temporary credentials is a `Date`, and absent options are not set. */
  signer(options: never, tools: KeyTools): LineSigner | Promise<LineSigner>;
  /** Changes the checked request into the form that the library takes. */
  prepare?(request: never): object;
}

/** A signer as a batch line uses it. Its `sign` gets the request of {@link SignFields}. */
export interface LineSigner {
  /** Signs one request. */
  sign(request: never): LineResult | Promise<LineResult>;
}

/** The result of one line: a URL, an upload form or cookies. */
export type LineResult = SignedRequest | LineForm | LineCookies;

/** An upload form with the fields that it must send. */
export interface LineForm extends Pick<SignedRequest, "url" | "id" | "expiresAt" | "warnings"> {
  /** Values by name. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Cookies that open a resource. */
export interface LineCookies extends Pick<SignedRequest, "expiresAt" | "warnings"> {
  /** Values by name. */
  readonly cookies: Readonly<Record<string, string>>;
}

/**
 * A verifier with the dialect that it detects. Two entries for the same dialect are two sets of keys, tried in turn. Two dialects that
 * detect the same request are ambiguous, and the request is refused.
 */
export type DialectVerifier = readonly [dialect: string, verifier: Verifier];

/** What every verifier of an entry is made with. */
export interface EntryContext {
  /** `scheme://authority` of the request. The verifier trusts it if the entry has no origins. */
  readonly origin: string;
  /** The time of verification. */
  readonly clock: Clock;
  /** Every obligation: the caller passes them on. */
  readonly enforces: readonly ObligationKind[];
  /** Conversions of keys. */
  readonly tools: KeyTools;
}

/** Conversions of keys that need the platform's cryptography, so that the program that reads the lines provides them. */
export interface KeyTools {
  /** The public half of an RSA or P-256 private key, both in PEM. Throws `INVALID_KEY`, which names the option. */
  publicPem(privateKey: string, option: string): string;
  /** The public half of an Ed25519 private key, both as 32 bytes in base64url. Throws `INVALID_KEY`. */
  ed25519Public(privateKey: string): string;
  /** A private JWK as PKCS #8 in PEM. Throws `INVALID_KEY`. */
  pemOfJwk(jwk: JsonObject): string;
}

/** A working example of one scheme, or of one variant. The suites sign, tamper, verify and ask it for constraints. */
export interface SchemeExample {
  /** The scheme's id. A variant adds a comma and its name: `"bunny, prefix"`. */
  readonly name: string;
  /** The keys that its verifier is made with. */
  readonly keys: ExampleKeys;
  /** The origins that the verifier serves, the first for `request`; `EXAMPLE_ORIGINS` if absent. */
  readonly origins?: readonly [string, string];
  /** A host that requests for the second origin have, if the origins are wildcards: `scheme://host`. */
  readonly otherOrigin?: string;
  /** Finds the signature in target, header or cookie, as its first group; in a form, the name of the field. */
  readonly signature: RegExp;
  /** A plain request for the signer, without a lifetime: `{ url }` or `{ bucket, key }`. */
  readonly request: object;
  /** Added to `request`: makes a grant with an obligation. Absent if grants of the scheme never have one. */
  readonly obliged?: object;
  /** Each added to `request`: more requests for the tampering suite, one for every feature of the scheme. */
  readonly variants?: readonly object[];
  /** True if the holder chooses the path below a prefix. */
  readonly anyPathBelow?: true;
  /** Seconds that a signing time may lie ahead of the verifier's clock. Absent if the signature has no start. */
  readonly futureSkew?: number;
  /** How constraints are asked. Absent for forms, cookies and headers, which take no constraints of URLs. */
  readonly probe?: ExampleProbe;
  /** Makes a signer with the right key. */
  signer(clock: Clock): ExampleSigner;
  /** Makes a verifier. `keys` is a key of {@link ExampleKeys}, a list, or a function that returns one. */
  verifier(keys: never, options: ExampleOptions): ExampleVerifier;
}

/** Keys for the verifier of an example. */
export interface ExampleKeys {
  /** The key that belongs to the signer. */
  readonly right: unknown;
  /** A key with the same id and another secret. */
  readonly wrong: unknown;
  /** Keys that must be refused: with an empty secret, an empty id, or too short. */
  readonly invalid: readonly unknown[];
  /** Who signed, as the request shows it. Absent if a request names no key. */
  readonly id?: string;
  /** True if the verifier tries only one key for each id. */
  readonly oneForEachId?: true;
}

/** Signs an example: a URL, a form, cookies, or a whole request for a scheme that signs headers. */
export interface ExampleSigner {
  /** Signs one request, to which a lifetime has been added. */
  sign(request: never): ExampleSigned | Promise<ExampleSigned>;
}

/** The result of an example signer. */
export type ExampleSigned = SignedRequest | LineForm | LineCookies | WireRequest;

/** A verifier of requests, or of forms. */
export interface ExampleVerifier {
  /** Whether a request, or a form's fields, carries a signature of this scheme. */
  detects(request: never): boolean;
  /** Verifies a request or a form. */
  verify(request: never): Promise<unknown>;
}

/** What the verifier of an example is made with. */
export interface ExampleOptions {
  /** The origins of the example. Ignored by forms. */
  readonly origins: readonly string[];
  /** The time of verification. */
  readonly clock: Clock;
  /** The obligations that the caller enforces. */
  readonly enforces: readonly ObligationKind[];
}

/** How the suite of capabilities asks an example. */
export interface ExampleProbe {
  /** The name of its row in the table, if that is not the name of the example. */
  readonly row?: string;
  /** The row of the table that holds for this example, too. Absent if the example has its own row. */
  readonly sameAs?: string;
  /** Constraints that differ from that row, by name: `{ stableWindow: "refuses" }`. */
  readonly but?: Readonly<Record<string, string>>;
  /** A header that the scheme can bind; `x-trace` if absent. */
  readonly header?: string;
  /** A query parameter that the scheme can bind; `variant` if absent. */
  readonly query?: string;
  /** A prefix of the resource, and a URL for another resource below it. Absent if the scheme has no prefixes. */
  readonly prefix?: { readonly value: string; elsewhere(url: string): string };
  /** Puts constraints into the scheme's own words. Absent if they are the same. */
  request?(constraints: JsonObject & { readonly method?: string; readonly prefix?: string }): object;
}
