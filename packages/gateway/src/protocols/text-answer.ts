import type { Answer } from "../pipeline/outcome.ts";

const encoder = new TextEncoder();

/** An answer whose body the gateway wrote itself. No cache may store it, and nothing in it may run. */
export function textAnswer(options: {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers?: readonly string[];
  /** More text follows, so the length is unknown. */
  readonly open?: boolean;
}): Answer {
  const bytes = encoder.encode(options.text);
  return {
    status: options.status,
    headers: [
      "content-type",
      options.type,
      ...(options.open === true ? [] : ["content-length", String(bytes.length)]),
      "cache-control",
      "no-store",
      "x-content-type-options",
      "nosniff",
      "content-security-policy",
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "referrer-policy",
      "no-referrer",
      ...(options.headers ?? []),
    ],
    body: { kind: "bytes", bytes },
  };
}
