import { decodeBytes, halves, host, type Judge, values } from "./judge.ts";

const OWN = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/**
 * With a canned policy every byte of the URL but the place of the signing parameters; with a custom one only that the
 * policy's resource fits, which a regular expression says here. Open are the method among those that the verifier grants,
 * headers, and whatever the wildcards stand for.
 */
export const judgeCloudfront: Judge = (request) => {
  const [path, query] = halves(request.target);
  const tokens = query === "" ? [] : query.split("&");
  const isOwn = (token: string): boolean => OWN.includes(token.split("=")[0] as string);
  const inUrl = tokens.filter(isOwn);
  const cookies = values(request, "cookie")
    .flatMap((value) => value.split(";"))
    .map((text) => text.trim())
    .filter((text) => text.startsWith("CloudFront-"))
    .map((text) => text.slice("CloudFront-".length));
  const signed = inUrl.length > 0 ? inUrl : cookies;
  const rest = tokens.filter((token) => !isOwn(token)).join("&");
  const whole = `https://${host(request.authority, "443")}${path}${rest === "" ? "" : `?${rest}`}`;
  const policy = /^Policy=([\w~-]+)$/.exec(signed.find((token) => token.startsWith("Policy=")) ?? "")?.[1];
  return JSON.stringify([
    ["GET", "HEAD"].includes(request.method),
    policy !== undefined && fits(policy, whole) && !hasDots(path) ? "" : whole,
    inUrl.length > 0,
    // That SHA-1 is the default may be said.
    signed.filter((token) => token !== "Hash-Algorithm=SHA1").sort(),
  ]);
};

/** Whether a server that decodes repeatedly and removes path parameters would find dot segments. */
function hasDots(path: string): boolean {
  let text = path;
  for (let before = ""; text !== before; ) {
    before = text;
    text = decodeBytes(text).replaceAll("\\", "/");
  }
  return text.split("/").some((segment) => /^\.{1,2}(?:;|$)/.test(segment));
}

function fits(encoded: string, whole: string): boolean {
  const text = Buffer.from(encoded.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"), "base64").toString();
  const resource = /"Resource":"([^"]*)"/.exec(text)?.[1];
  if (resource === undefined) return false;
  const pattern = resource.replace(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === "*" ? ".*" : sign === "?" ? "." : `\\${sign}`,
  );
  return new RegExp(`^${pattern}$`, "s").test(whole);
}
