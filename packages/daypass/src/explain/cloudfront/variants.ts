import type { CloudfrontHash } from "../../schemes/cloudfront/key.ts";
import { policyText } from "../../schemes/cloudfront/policy.ts";
import type { Subject } from "../explainer.ts";
import { nameOf } from "../parameters.ts";
import { removals } from "../search/added-parameters.ts";
import type { Variant } from "../search/search.ts";
import { pathSpellings } from "../search/spellings.ts";
import { querySpellings, spelt } from "../search/text-variants.ts";
import { movedEnds } from "../search/usual-lives.ts";

/** The signed input. */
export interface CloudfrontInput {
  readonly method: string;
  /** The resource of a canned policy. */
  readonly url: string;
  readonly end: string;
  /** A custom policy as it was sent, or a signer's own text of a canned one. */
  readonly text: string | undefined;
  readonly hash: CloudfrontHash;
  readonly publicKey: string;
}

/** The signed text: the policy. */
export function textOf({ url, end, text }: Pick<CloudfrontInput, "url" | "end" | "text">): string {
  return text ?? policyText({ resource: url, end: Number(end) });
}

/** The likeliest first. */
export function* cloudfrontVariants(input: CloudfrontInput, subject: Subject): Generator<Variant<CloudfrontInput>> {
  const hash = input.hash === "sha1" ? "sha256" : "sha1";
  yield spelt({
    code: "VERSION",
    input: { ...input, hash },
    what: "policy",
    how: `with ${hash === "sha1" ? "SHA-1" : "SHA-256"}, and the URL says the other hash`,
    fix: "Send Hash-Algorithm=SHA256 with SHA-256, and no Hash-Algorithm with SHA-1.",
  });
  yield* policyVariants(input);
  if (input.text === undefined) yield* urlVariants(input, subject);
  const { text } = input;
  const [, end = input.end] = /"DateLessThan":\{"AWS:EpochTime":(\d+)/.exec(text ?? "") ?? [];
  yield* movedEnds(end, (other) => ({ ...input, end: other, text: text?.replace(end, other) }));
}

/** The same policy in another spelling. */
function* policyVariants(input: CloudfrontInput): Generator<Variant<CloudfrontInput>> {
  const text = textOf(input);
  const spaced = text.replace(
    /("(?:[^"\\]|\\.)*")|([:,])/g,
    (_, quoted?: string, mark?: string) => quoted ?? `${mark} `,
  );
  const swapped = text.replace(/^(\{"Statement":\[\{)("Resource":.*),("Condition":.*)(\}\]\})$/, "$1$3,$2$4");
  const others: readonly (readonly [how: string, text: string])[] = [
    ["with spaces in it, as many JSON serializers add them", spaced],
    ["with a line feed at its end", `${text}\n`],
    ["without the line feed at its end", text.trimEnd()],
    ["with \\/ for /", text.replaceAll("/", "\\/")],
    ["with the condition before the resource", swapped],
    ["with its end in milliseconds", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, "$1$2000")],
    ["with its end as text", text.replace(/("DateLessThan":\{"AWS:EpochTime":)(\d+)/, '$1"$2"')],
  ];
  for (const [how, other] of others) {
    if (other === text) continue;
    const fix =
      "Sign exactly the bytes of the policy that are sent; a canned one has no white space and puts the resource first.";
    yield spelt({ code: "POLICY", input: { ...input, text: other }, what: "policy", how, fix });
  }
}

/** Resources that the signer of a canned policy may have used. */
function* urlVariants(input: CloudfrontInput, { url, hosts }: Subject): Generator<Variant<CloudfrontInput>> {
  const [, scheme = "", host = "", path = "", query = ""] = /^(\w+):\/\/([^/]*)([^?]*)(.*)$/s.exec(input.url) ?? [];
  const at = (parts: { scheme?: string; host?: string; path?: string; query?: string }): string => {
    const all = { scheme, host, path, query, ...parts };
    return `${all.scheme}://${all.host}${all.path}${all.query}`;
  };
  const tokens = query.slice(1).split("&").filter(Boolean);
  const names = [...hosts, url.authority, host.replace(/:\d+$/, "")];
  type Row = readonly [code: "HOST" | "PATH" | "QUERY", how: string, url: string];
  const rows: readonly Row[] = [
    ["HOST", "with another scheme", at({ scheme: scheme === "https" ? "http" : "https" })],
    ...names.map((name): Row => ["HOST", `for the host ${name}`, at({ host: name })]),
    ["QUERY", "without its query", at({ query: "" })],
    ...removals(tokens, { nameOf, isOwn: () => false }).map(
      ({ rest, what }): Row => [
        "QUERY",
        `without the ${what.replace(/ was$| were$/, "")}`,
        at({ query: rest.length === 0 ? "" : `?${rest.join("&")}` }),
      ],
    ),
    ...querySpellings(query).map(([how, other]): Row => ["QUERY", `${how} in its query`, at({ query: other })]),
    ["QUERY", "with ? at its end", at({ query: `${query}?` })],
    ...pathSpellings(path, path).map(([how, other]): Row => ["PATH", how, at({ path: other })]),
    ...["*", "https://*", "http*://*"].map(
      (pattern): Row => ["PATH", `for the pattern ${pattern}, which a canned policy does not have`, pattern],
    ),
    ["PATH", "for the pattern of its host, which a canned policy does not have", at({ path: "/*", query: "" })],
    ["PATH", "as the path alone", path + query],
    ["PATH", "as the path alone, without / in front", (path + query).slice(1)],
  ];
  for (const [code, how, other] of rows) {
    if (other === input.url) continue;
    const fix = "Sign the whole URL as browsers send it, without CloudFront's own parameters.";
    yield spelt({ code, input: { ...input, url: other }, what: "URL", how, fix });
  }
}
