// Values that say what was asked and for how long. A name that is not here could carry a secret: signature, session token,
// policy, nonce, subject, or a parameter of somebody's own.
const SHOWN: ReadonlySet<string> = new Set([
  "X-Amz-Algorithm",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Content-Sha256",
  "Expires",
  "partNumber",
  "uploadId",
  "versionId",
  "x-id",
  "dp-create",
  "dp-date",
  "dp-expires",
  "dp-headers",
  "dp-ip",
  "dp-key",
  "dp-length",
  "dp-methods",
  "dp-prefix",
  "dp-starts",
  "dp-type",
  "dp-uses",
  "dp-v",
  "dp-vary",
]);

const MAX_PATH = 1024;
const MAX_TOKENS = 32;

/**
 * A target as it may stand in a log: the path, and the query with each value taken out whose name is not on the allow-list. A
 * token without `=` is all value.
 *
 * @example
 * redactTarget("/b/k?X-Amz-Expires=60&X-Amz-Signature=0123"); // /b/k?X-Amz-Expires=60&X-Amz-Signature=~
 */
export function redactTarget(target: string): string {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const shortPath = path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}~` : path;
  if (mark < 0) return shortPath;
  let text = `${shortPath}?`;
  let start = mark + 1;
  for (let count = 0; start < target.length; count++) {
    if (count === MAX_TOKENS) return `${text}&~`;
    let end = target.indexOf("&", start);
    if (end < 0) end = target.length;
    const equals = target.indexOf("=", start);
    if (count > 0) text += "&";
    if (equals < 0 || equals >= end || equals - start > 64) {
      text += "~";
    } else {
      const name = target.slice(start, equals);
      text += SHOWN.has(name) ? target.slice(start, end) : `${name}=~`;
    }
    start = end + 1;
  }
  return text;
}
