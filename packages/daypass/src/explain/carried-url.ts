import { fromBase64url, latin1 } from "../wire/encoding.ts";

// Of a URL in base64 these are the first letters, whatever it is.
const TOKEN = /^(?:k8s-aws-v1\.)?(aHR0c[A-Za-z0-9_-]{40,16000})=*$/;
const WITHOUT_SCHEME = /^(?=[\w.-]{1,255}(?::\d{1,5})?\/\?(?:[^#]*&)?Action=(?:connect|DbConnect))(?=[^#]*[?&]X-Amz-)/i;

/** The URL in a token that is one in base64: what kubectl sends to EKS, and a client of Kafka to MSK. Other texts come back as they are. */
export function decodedToken(text: string): string {
  const [, encoded] = TOKEN.exec(text) ?? [];
  const bytes = encoded === undefined ? undefined : fromBase64url(encoded);
  const plain = bytes === undefined ? "" : latin1(bytes);
  return /^https?:\/\/[\x21-\x7e]+$/.test(plain) ? plain : text;
}

/**
 * The signed URL that a token is, or a WebSocket's: a password for a database is one without its scheme. None of them signs the
 * scheme. Other texts come back as they are.
 */
export function carriedUrl(text: string): string {
  return decodedToken(text)
    .replace(/^ws(?=s?:\/\/)/i, "http")
    .replace(WITHOUT_SCHEME, "https://");
}
