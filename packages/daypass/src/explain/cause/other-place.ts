import { decodeOr } from "../decoded.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";

/**
 * MinIO, and the servers that write as it does, tell the path that they saw and nothing of what they computed. They stand behind
 * proxies of one's own, which are what breaks a signature there, as a rule.
 */
export function otherPlace(
  { error, sentUrl }: Subject,
  { others, signsHost }: { readonly others: readonly string[]; readonly signsHost: boolean },
): Cause | undefined {
  const seen = error?.fields.get("Resource");
  if (seen === undefined || !seen.startsWith("/")) return undefined;
  // Some show it as it was sent.
  const [path, shown] = [sentUrl.wire.path, seen].map((text) => decodeOr(text)) as [string, string];
  const evidence = [`the URL has ${path}`, `the server saw ${seen}`];
  if (path !== shown && path.endsWith(shown)) {
    return {
      code: "PATH",
      sentence: `The server saw the path ${seen}, and the URL has ${path}: most likely a proxy stripped its prefix, but the whole path is signed.`,
      evidence,
      fix: "Give the store a host of its own, and let the proxy pass path and Host on unchanged.",
    };
  }
  // Of a bucket in the host they show its name in front.
  if (!shown.endsWith(path)) {
    return {
      code: "PATH",
      sentence: `The server saw the path ${seen}, and the URL has ${path}: a proxy rewrote it, or the client sent another one, but the whole path is signed.`,
      evidence,
      fix: "Send the path as it was signed, and let the proxy pass path and Host on unchanged.",
    };
  }
  if (!signsHost) return undefined;
  return {
    code: "HOST",
    sentence: `Most likely the server was reached under another name or port than the URL was signed for: a proxy does not pass Host on, or the host was replaced. Or the URL was signed ${others.join(", or ")}, or was changed in transit: without the key, explain cannot tell which.`,
    evidence,
    fix: "Sign with the host and port that clients use, and let proxies pass Host on unchanged (nginx: proxy_set_header Host $http_host). With the key, explain finds the name.",
  };
}
