import type { Checked, Clock, Grant, KeyResolver, Obligation, ObligationKind } from "../core/contracts.ts";
import { type DaypassError, refusal, unenforced, withSigner } from "../core/errors.ts";
import { grantId, grantOf } from "../core/grant.ts";
import { listOf } from "../core/key-resolver.ts";
import { type Instant, systemClock } from "../core/time.ts";
import { uriEncode, uriEncodePath } from "../wire/encoding.ts";
import { malformed } from "../wire/parameters.ts";
import type { FormGrant, FormVerifier, ReceivedForm } from "./form.ts";
import { checkConditions, decodePolicy, expandFields, FILE_NAME, type FormFields, requiredField } from "./policy.ts";

/** Options that every form verifier has in addition to its keys. */
export interface FormVerifierOptions {
  /** The obligations that the caller enforces; a grant with any other is refused. */
  readonly enforces?: readonly ObligationKind[] | undefined;
  /** The current time; by default, the system clock. */
  readonly clock?: Clock | undefined;
}

/** One dialect of signed form, as the verifying side sees it. `P` is the parsed form of the signature's own fields. */
export interface FormScheme<P, K, G extends FormGrant> {
  /** As {@link SignedBy.scheme} of a refusal. */
  readonly id: string;
  /** The signature's own fields, by lower-case name. The policy is not among them. */
  readonly own: RegExp;
  /** The fields that mark a form as signed in this scheme. */
  readonly markers: RegExp;
  /** The fields that need no condition. */
  readonly exempt: RegExp;
  /** Strict and without a key: throws `MALFORMED`. The policy is text until its signature has been checked. */
  parse(fields: ReadonlyMap<string, string>): P;
  keyId(parsed: P): string;
  check(parsed: P, key: K, policy: string): Checked | Promise<Checked>;
  /** Matches nothing. It exists because an unknown key id must cost the same hashes as a known one. */
  readonly dummyKey: K;
  /** Refusals that depend on the key, then the grant itself. */
  grant(parsed: P, verified: VerifiedForm<K>): G;
}

/** What a scheme may rely on when it makes a grant: signature, end and conditions have been checked. */
export interface VerifiedForm<K> {
  readonly key: K;
  readonly stringToSign: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly expiresAt: Date;
  readonly bucket: string;
  /** The object's key, with the file's name in it. */
  readonly objectKey: string;
  /** All fields except the signature's own, by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
  /** The length of the file, if the policy limits it. */
  readonly obligations: readonly Obligation[];
}

/**
 * Builds a scheme's form verifier: own fields → key → signature → policy → end → conditions → grant, the order in which S3
 * reports what is wrong. No byte of a policy is read before its signature has matched.
 */
export function formVerifier<P, K, G extends FormGrant>(
  scheme: FormScheme<P, K, G>,
  keys: KeyResolver<K>,
  options: FormVerifierOptions,
): FormVerifier<G> {
  const { clock = systemClock, enforces } = options;
  const enforced: ReadonlySet<ObligationKind> = new Set(enforces);
  const detects = (fields: FormFields): boolean => fields.some(([name]) => scheme.markers.test(name.toLowerCase()));
  return {
    detects,
    async verify({ bucket, fields, fileName = "" }: ReceivedForm) {
      // "The form data and boundaries (excluding the contents of the file) cannot exceed 20 KB", and somewhat more. Counted with the file's
      // name where it will stand: thousands of `${filename}` would make hundreds of megabytes of an unsigned form.
      const text = fields.flat().join("");
      if (text.length + text.split(FILE_NAME).length * fileName.length > 65_536)
        throw malformed("form", "size", "fields of at most 64 KiB");
      if (!detects(fields)) throw noSignature();
      const all = expandFields(fields, fileName);
      const objectKey = requiredField(all, "key");
      const policy = requiredField(all, "policy");
      const parsed = scheme.parse(all);
      const candidates = listOf(await keys(scheme.keyId(parsed)));
      const unknown = candidates.length === 0;
      // All candidates are compared without an early exit, so that the time taken does not tell which one matched.
      let match: { readonly key: K; readonly stringToSign: string } | undefined;
      for (const key of unknown ? [scheme.dummyKey] : candidates) {
        const { matches, stringToSign } = await scheme.check(parsed, key, policy);
        if (matches) match ??= { key, stringToSign };
      }
      if (unknown) throw refusal("UNKNOWN_KEY", "no configured key has the id of this signature");
      if (match === undefined) {
        throw refusal("SIGNATURE_MISMATCH", "the signature does not belong to this policy");
      }
      try {
        return grantFor(parsed, match, { bucket, all, policy, objectKey });
      } catch (error) {
        throw withSigner(error, { scheme: scheme.id, keyId: scheme.keyId(parsed), id: grantId(match.stringToSign) });
      }
    },
  };

  /** The grant of a form whose signature has matched. */
  function grantFor(
    parsed: P,
    match: { readonly key: K; readonly stringToSign: string },
    { bucket, all, policy, objectKey }: SignedFields,
  ): G {
    const { expiresAt, conditions } = decodePolicy(policy);
    const now = Number(clock());
    // Written so that an invalid clock refuses.
    if (!(now < Number(expiresAt))) {
      const end = expiresAt.toISOString();
      throw refusal("EXPIRED", `the form expired at ${end}. Ask for a new one`, {
        expiresAt: end,
      });
    }
    const length = checkConditions(conditions, { fields: all, bucket, exempt: scheme.exempt });
    // If the policy binds only the key's start, the holder chooses the rest: a file system resolves `up/../x` outside `up/`.
    const isWhole = conditions.some((condition) => condition.operator === "eq" && condition.field === "key");
    if (!isWhole && /(?:^|[/\\])\.\.?(?:[/\\]|$)/.test(objectKey))
      throw malformed("key", "dot-segments", "text without them");
    const grant = scheme.grant(parsed, {
      ...match,
      now,
      expiresAt,
      bucket,
      objectKey,
      fields: Object.fromEntries([...all].filter(([name]) => !TAKEN.test(name) && !scheme.own.test(name))),
      obligations: length === undefined ? [] : [{ kind: "body-length", ...length }],
    });
    for (const { kind } of grant.obligations) {
      if (!enforced.has(kind)) throw unenforced(kind);
    }
    return grant;
  }
}

/** What a form says, with its file's name in place. */
interface SignedFields {
  readonly bucket: string;
  readonly all: ReadonlyMap<string, string>;
  readonly policy: string;
  readonly objectKey: string;
}

const TAKEN = /^(?:key|bucket|policy|x-ignore-.*)$/s;

/**
 * Combines form verifiers of several schemes. Exactly one of them must recognise the form, as with `anyOf`.
 *
 * @param verifiers of one scheme each
 * @throws {DaypassError} from `verify`: `AMBIGUOUS_AUTHENTICATION`, `NO_SIGNATURE`, and the codes of the selected verifier
 * @example
 * ```ts
 * import { anyFormOf } from "daypass";
 * import { s3FormVerifier } from "daypass/s3/form";
 * import { s3FormV2Verifier } from "daypass/s3/form/v2";
 *
 * const options = {
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://files.example.com"],
 * };
 * export const verifier = anyFormOf(s3FormVerifier(options), s3FormV2Verifier(options));
 * ```
 */
export function anyFormOf<G extends FormGrant>(...verifiers: readonly FormVerifier<G>[]): FormVerifier<G> {
  return {
    detects: (fields) => verifiers.some((candidate) => candidate.detects(fields)),
    async verify(form) {
      const [only, second] = verifiers.filter((candidate) => candidate.detects(form.fields));
      if (only === undefined) throw noSignature();
      if (second === undefined) return only.verify(form);
      throw refusal("AMBIGUOUS_AUTHENTICATION", "the form has signatures of several schemes. Send one");
    },
  };
}

function noSignature(): DaypassError {
  return refusal("NO_SIGNATURE", "the form has no signed policy. Ask for a signed form");
}

/** The facts that the grant of every form has. */
export interface FormFacts {
  readonly bucket: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly redirect: string | undefined;
  readonly status: 200 | 201 | 204;
}

/** The grant of one POST of a file. The fields that match `checksum` hold the body to a checksum. */
export function postGrant<F extends object>(
  own: { readonly scheme: string; readonly keyId: string; readonly notBefore: Instant },
  { bucket, objectKey, fields, expiresAt, obligations, stringToSign }: VerifiedForm<unknown>,
  checksum: RegExp,
  facts: F,
): Grant & FormFacts & F {
  const checksums = Object.entries(fields)
    .filter(([name]) => checksum.test(name))
    .map(([header, value]) => ({ kind: "body-checksum", header, value }) as const);
  const status = fields["success_action_status"];
  return grantOf(
    { method: "POST", target: `/${uriEncode(bucket)}/${uriEncodePath(objectKey)}` },
    { ...own, expiresAt, obligations: [...obligations, ...checksums] },
    {
      bucket,
      fields,
      redirect: fields["success_action_redirect"],
      status: status === "200" ? 200 : status === "201" ? 201 : 204,
      ...facts,
    } as const,
    stringToSign,
  );
}
