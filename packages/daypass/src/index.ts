/**
 * Contracts, errors and code that all schemes share. Each scheme has its own subpath: `daypass/s3`, `daypass/gcs`,
 * `daypass/azure`, `daypass/uri-signing`, `daypass/nginx`, `daypass/url`, and the others of docs/schemes.
 *
 * @module
 */
export type {
  AsyncSigner,
  Bindings,
  Checked,
  Clock,
  Constraints,
  Grant,
  KeyResolver,
  Lifetime,
  Obligation,
  ObligationKind,
  Proof,
  QueryToken,
  ReceivedRequest,
  ResponseOverrides,
  Scheme,
  SignedOrError,
  SignedRequest,
  Signer,
  UseStore,
  Verified,
  Verifier,
  WireRequest,
  WireTarget,
} from "./core/contracts.ts";
export { type RotatingCredentials, type RotationOptions, rotatingCredentials } from "./core/credentials.ts";
export {
  DaypassError,
  describeErrorCode,
  type ErrorCode,
  type ErrorDetails,
  errorCodes,
  isDaypassError,
  type SignedBy,
} from "./core/errors.ts";
export { type Problem, problem } from "./core/problem.ts";
export { signMany } from "./core/sign-many.ts";
export { anyOf, type ImmediateVerifier, immediate, type VerifierOptions } from "./core/verify.ts";
export type { Weak, Weakness } from "./core/weakness.ts";
export type {
  AsyncFormSigner,
  FormGrant,
  FormSigner,
  FormVerifier,
  ReceivedForm,
  SignedForm,
  SignedFormOrError,
} from "./forms/form.ts";
export type { FormFields, PolicyCondition } from "./forms/policy.ts";
export { anyFormOf, type FormVerifierOptions } from "./forms/verify.ts";
export { parseTarget } from "./wire/raw-target.ts";
