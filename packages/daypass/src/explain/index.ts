/**
 * Explains what a presigned URL is, when it expires, and why a server refuses it: {@link explain}; {@link explainForm} does the
 * same for signed upload forms, and {@link explainAnswer} for an error response without its URL. {@link redactUrl} is for logs.
 *
 * @module
 */

export { type AnswerExplanation, explainAnswer } from "./answer.ts";
export type {
  AkamaiExplainKey,
  BunnyExplainKey,
  CloudCdnExplainKey,
  CloudflareExplainKey,
  EdgeExplainKey,
  FastlyExplainKey,
  ImgixExplainKey,
  ImgproxyExplainKey,
  LaravelExplainKey,
  MediaCdnExplainKey,
  MediaCdnTokenExplainKey,
  NginxExplainKey,
  SymfonyExplainKey,
  UriSigningExplainKey,
} from "./edge/keys.ts";
export { explain } from "./explain.ts";
export type * from "./explanation.ts";
export { explainForm } from "./form/explain-form.ts";
export { redactUrl } from "./redact.ts";
export { unwrapUrl } from "./wrapped-url.ts";
