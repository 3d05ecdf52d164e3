import type { Grant } from "../core/contracts.ts";
import { grantId } from "../core/grant.ts";
import type { FormFields } from "./policy.ts";

/**
 * An upload form whose policy is signed: what a browser posts as `multipart/form-data`, first the fields, then the file
 * as the last one, named `file`.
 */
export interface SignedForm {
  /** The URL to which the form is posted. */
  readonly url: string;
  readonly method: "POST";
  /** The form's hidden fields, in the order in which they may be sent. */
  readonly fields: Readonly<Record<string, string>>;
  /** First instant at which the form is no longer accepted. */
  readonly expiresAt: Date;
  /** The identifier that the verifier's grant has, too. */
  readonly id: string;
  /** What the policy binds. */
  readonly bound: readonly string[];
  /** What a holder can change without the form being refused. */
  readonly unbound: readonly string[];
  /** Things that are allowed and probably not wanted, one sentence each. */
  readonly warnings: readonly string[];
}

/** An item of {@link FormSigner.signMany}: a bad request yields its error and does not stop the others. */
export type SignedFormOrError = SignedForm | { readonly error: Error };

/** Signs forms synchronously: every HMAC scheme. */
export interface FormSigner<R> {
  /** Signs one form. */
  sign(request: R): SignedForm;
  /** In order, each form when its result is consumed. For an `AsyncIterable`, use the function `signMany` of `daypass`. */
  signMany(requests: Iterable<R>): Iterable<SignedFormOrError>;
}

/** Signs forms with a promise. */
export interface AsyncFormSigner<R> {
  /** Signs one form. */
  sign(request: R): Promise<SignedForm>;
  /** In order, with up to sixteen signatures in progress. For an `AsyncIterable`, use the function `signMany` of `daypass`. */
  signMany(requests: Iterable<R>): AsyncIterable<SignedFormOrError>;
}

/** A posted form as a server has read it, up to the file. */
export interface ReceivedForm {
  /** The bucket that the request's host or path is for. Never take it from a field (CVE-2023-43040). */
  readonly bucket: string;
  /** The fields before `file`, in the order received. Anything after the file must be ignored. */
  readonly fields: FormFields;
  /** `filename` of the file's part, as the sender wrote it. */
  readonly fileName?: string | undefined;
}

/** What a verified form allows: one upload. */
export interface FormGrant extends Grant {
  /** The bucket of {@link ReceivedForm}, which the policy is for. */
  readonly bucket: string;
  /** The fields by lower-case name, without the signature's own fields, with the file's name substituted. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Turns a posted form into a grant or throws a `DaypassError`. */
export interface FormVerifier<G extends FormGrant = FormGrant> {
  /** Returns, by names alone, whether the form is signed with this scheme. Verifies nothing. */
  detects(fields: FormFields): boolean;
  /** Returns the grant of a form that is unchanged, not expired and within its policy. Rejects with a `DaypassError` for any other. */
  verify(form: ReceivedForm): Promise<G>;
}

/** What every form signer returns: a class, as `id` costs a hash that few ask for. */
export class FormResult implements SignedForm {
  declare readonly url: string;
  readonly method = "POST";
  declare readonly fields: Readonly<Record<string, string>>;
  declare readonly expiresAt: Date;
  declare readonly bound: readonly string[];
  declare readonly unbound: readonly string[];
  declare readonly warnings: readonly string[];
  readonly #stringToSign: string;

  constructor(form: Omit<SignedForm, "id" | "method">, stringToSign: string) {
    Object.assign(this, form);
    this.#stringToSign = stringToSign;
  }

  get id(): string {
    return grantId(this.#stringToSign);
  }

  /** A getter on a prototype is invisible to `JSON.stringify`, which this mends. */
  toJSON(): SignedForm {
    return { ...this, id: this.id };
  }
}
