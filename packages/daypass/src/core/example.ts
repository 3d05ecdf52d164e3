import type { SchemeExample } from "./scheme.ts";

/** The instant at which all examples are signed: 2026-01-02T03:04:05Z. */
export const EXAMPLE_TIME: Date = new Date("2026-01-02T03:04:05Z");
/** The lifetime of all examples, in seconds. */
export const EXAMPLE_LIFETIME = 900;
/** The two origins that example verifiers serve. Example requests are for the first. */
export const EXAMPLE_ORIGINS: readonly [string, string] = ["https://media.example.com", "https://other.example.com"];
/** The path that example cookies open. */
export const EXAMPLE_PATH = "/talks/keynote.mp4";
/** The object that examples of stores sign, and its bucket. */
export const EXAMPLE_OBJECT: { readonly bucket: string; readonly key: string } = {
  bucket: "media",
  key: "talks/keynote.mp4",
};
/** Added to a request: response headers, which oblige the server. */
export const EXAMPLE_RESPONSE: object = { response: { contentDisposition: "attachment" } };
/** Added to the request of a form: a limit, which obliges the server. */
export const EXAMPLE_LENGTH: object = { contentLength: 5 };
/** Members of an example whose bucket is in the host. */
export const IN_HOST: Pick<SchemeExample, "origins" | "otherOrigin"> = {
  origins: ["https://*.media.example.com", "https://*.other.example.com"],
  otherOrigin: "https://media.other.example.com",
};
