/**
 * Contracts, errors and code that all schemes share. Each scheme has its own subpath: `daypass/s3`, `daypass/gcs`,
 * `daypass/azure`, `daypass/uri-signing`, `daypass/nginx`, `daypass/url`, and the others of docs/schemes.
 *
 * @module
 */
export type { Constraints } from "./constraints.ts";
export { type RotatingCredentials, type RotationOptions, rotatingCredentials } from "./credentials.ts";
export {
  DaypassError,
  describeErrorCode,
  type ErrorCode,
  type ErrorDetails,
  errorCodes,
  isDaypassError,
} from "./errors.ts";
export type {
  AsyncFormSigner,
  FormGrant,
  FormSigner,
  FormVerifier,
  ReceivedForm,
  SignedForm,
  SignedFormOrError,
} from "./form.ts";
export { anyFormOf, type FormVerifierOptions } from "./form-verify.ts";
export type { FormFields, PolicyCondition } from "./post-policy.ts";
export { type Problem, problem } from "./problem.ts";
export type {
  AsyncSigner,
  Bindings,
  Checked,
  Clock,
  Grant,
  KeyResolver,
  Lifetime,
  Obligation,
  ObligationKind,
  Proof,
  ReceivedRequest,
  ResponseOverrides,
  Scheme,
  SignedOrError,
  SignedRequest,
  Signer,
  Verified,
  Verifier,
  WireRequest,
} from "./scheme.ts";
export { signMany } from "./sign-many.ts";
export { anyOf, type VerifierOptions } from "./verify.ts";
export type { Weak, Weakness } from "./weakness.ts";
export { parseTarget, type QueryToken, type WireTarget } from "./wire.ts";
