/**
 * What a presigned URL is, when it ends, and why a server refuses it: {@link explain}. And {@link redactUrl} for logs.
 *
 * @module
 */
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
} from "./edge-keys.ts";
export { explain } from "./explain.ts";
export type {
  AzureExplainKey,
  BrowserUpload,
  Cause,
  CauseCode,
  CloudfrontExplainKey,
  ExplainKey,
  ExplainOptions,
  Explanation,
  Hypothesis,
  MustSend,
  SentRequest,
  Trap,
} from "./explanation.ts";
export { redactUrl } from "./redact.ts";
