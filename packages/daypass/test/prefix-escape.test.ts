import { describe, expect, it } from "vitest";
import type { WireRequest } from "../src/index.ts";
import { azureSigner, azureVerifier } from "../src/schemes/azure/index.ts";
import { swiftSigner, swiftVerifier } from "../src/schemes/swift/index.ts";
import { verdictOf } from "./code-of.ts";
import { AT, ORIGIN, type Subject, subjects } from "./registry.ts";

// A grant for a prefix opens nothing outside: dot segments do not lead out, and a folder with a longer name is another one.

const clock = (): Date => AT;
const verifying = { clock, origins: [ORIGIN] };
const authority = ORIGIN.replace("https://", "");
const life = { expiresIn: 900 };

/** A subject with the parts of a request for a prefix, and the folder that the prefix names: `talks/`. */
interface Prefixed {
  readonly name: string;
  readonly subject: Subject;
  readonly more: object;
  readonly folder: string;
}

function prefixed(subject: Subject): readonly Prefixed[] {
  const { name, example, isForm } = subject;
  const { probe, anyPathBelow } = example;
  if (isForm)
    return [{ name, subject, folder: "talks/", more: { prefix: "talks/", key: undefined, object: undefined } }];
  if (anyPathBelow) return name === "azure, account" ? [] : [{ name, subject, more: {}, folder: "talks/" }];
  if (probe?.prefix === undefined || name === "azure, account" || probe.sameAs !== undefined) return [];
  const { value } = probe.prefix;
  const more = probe.request?.({ prefix: value }) ?? { prefix: value };
  return [{ name: `${name}, by prefix`, subject, more, folder: value.replace(/^\//, "") }];
}

/** The request for another path, `talks/…`, or the form with another key. */
function asking({ folder, subject: { isForm } }: Prefixed, signed: WireRequest, path: string): WireRequest {
  if (isForm) {
    const others = signed.headers.filter(([name]) => name !== "key");
    return { ...signed, headers: [...others, ["key", path]] };
  }
  const [whole = "", query = ""] = signed.target.split(/(?=\?)/);
  // The path of a directory of Azure has no slash at its end.
  return { ...signed, target: whole.slice(0, `${whole}/`.indexOf(`/${folder}`) + 1) + path + query };
}

async function ask(prefix: Prefixed, path: string): Promise<string> {
  const { subject, more } = prefix;
  const signed = await subject.request(more);
  const request = { ...asking(prefix, signed, path), method: subject.isForm ? "POST" : "GET" };
  return verdictOf(subject.verifier(subject.example.keys.right).verify(request));
}

// Each leads out of the prefix for a server that decodes, collapses or reads `\` as `/` once more than the verifier.
const CLIMBS: readonly string[] = [
  ...["../8/secret", "x\\..\\..\\8", "..", "./../8/secret", "x/../../8/secret", "%2e%2e/8/secret", "%2E%2e/8/secret"],
  ...[".%2e/8/secret", "..%2F8%2Fsecret", "..%5C8%5Csecret", "%2e%2e%2f8", "x%2F..%2F..%2F8", "x%5C..%5C..%5C8"],
  ...["%252e%252e/8/secret", "%252e%252e%252f8", "..%3b/8/secret", "..;/8/secret"],
  ...["%25%32%65%25%32%65/8/secret", "%252%65%252e/8/secret", "%25252e%2525252e/8/secret", "%2%35%32e./8/secret"],
  ...["x%25%32f..%252%66..%25%32%35%32%66secret", "%25%35%63%25%32%35%32%65./8", "..%25%33%62/8/secret"],
];

describe.each(subjects.flatMap(prefixed))("a prefix grant of $name", (prefix) => {
  const { folder, subject } = prefix;

  it("opens the paths below the prefix", async () => {
    for (const path of ["a.txt", "deep/b..c/d.txt"]) expect(await ask(prefix, folder + path)).toBe("accepted");
  });

  it("refuses paths that climb out of the prefix", async () => {
    for (const climb of CLIMBS) {
      // The key of a form is data, in which no escape and no `;` has a meaning.
      if (subject.isForm && /[%;]/.test(climb)) continue;
      expect(await ask(prefix, folder + climb), climb).not.toBe("accepted");
    }
  });

  it("refuses neighbours, and names that begin with the same letters", async () => {
    const name = folder.slice(0, -1);
    for (const path of ["other/a.txt", `${name}7/a.txt`, `${name}x/a.txt`, name, name.slice(0, -1), ""]) {
      // A cookie of Google's and a directory of Azure's include the folder itself.
      if (path === name && (await ask(prefix, path)) === "accepted") continue;
      expect(await ask(prefix, path), path).not.toBe("accepted");
    }
  });
});

// `merchants/12` would open `merchants/123`, and an empty prefix everything.
const strict = subjects.filter(
  ({ example, isForm, row }) => isForm || (example.probe?.prefix !== undefined && !/^(?:azure|swift)$/.test(row.id)),
);
it.each(strict)("$name: refuses to sign a prefix without a slash at its end", async (subject) => {
  const object = subject.isForm ? { key: undefined, object: undefined } : {};
  for (const prefix of ["", "talks/2026", "/talks/2026", "/talks/2026/../", "../"])
    expect(await verdictOf(subject.request({ ...object, prefix })), prefix).not.toBe("accepted");
});

const azureKey = { account: "myaccount", accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" };
const azure = azureSigner({ account: "myaccount", endpoint: `${ORIGIN}/myaccount`, credentials: azureKey, clock });
const sas = { container: "media", resource: "container", permissions: "r", ...life } as const;
const azureAsk = async (url: string, target: string): Promise<string> => {
  const verifier = azureVerifier({ ...verifying, credentials: azureKey });
  const query = url.replace(/^.*\?/, "");
  const mark = target.includes("?") ? "&" : "?";
  return verdictOf(verifier.verify({ method: "GET", target: target + mark + query, authority, headers: [] }));
};

describe("a grant for a container or an account of Azure", () => {
  const account = subjects.find(({ name }) => name === "azure, account");
  const asks: readonly (readonly [string, (path: string) => Promise<string>])[] = [
    ["container", (path) => azureAsk(azure.sign(sas).url, `/myaccount/media/${path}`)],
    [
      "account",
      async (path) => {
        const signed = (await account?.request()) as WireRequest;
        const target = signed.target.replace(/media\/[^?]*/, () => `media/${path}`);
        return verdictOf(
          account?.verifier(account.example.keys.right).verify({ ...signed, target }) as Promise<unknown>,
        );
      },
    ],
  ];

  it.each(asks)("opens every blob of the %s, and no path with dot segments", async (_, asked) => {
    // Azure's own libraries escape the slashes of a blob.
    for (const path of ["a.txt", "deep%2Fb..c%2Fd.txt"]) expect(await asked(path)).toBe("accepted");
    for (const climb of CLIMBS) {
      expect(await asked(climb), climb).toBe("MALFORMED");
      expect(await asked(`../../../../other/${climb}`), climb).toBe("MALFORMED");
    }
  });
});

describe("a prefix that ends inside a segment", () => {
  it("is a whole segment for Azure, also in a listing", async () => {
    const { url } = azure.sign({ ...sas, resource: undefined, prefix: "users/7" });
    expect(await azureAsk(url, "/myaccount/media/users/7/a.txt")).toBe("accepted");
    expect(await azureAsk(url, "/myaccount/media/users/77/a.txt")).not.toBe("accepted");
    const listing = azure.sign({ ...sas, resource: undefined, permissions: "l", prefix: "users/7" }).url;
    const list = (prefix: string) => azureAsk(listing, `/myaccount/media?restype=container&comp=list&prefix=${prefix}`);
    expect(await list("users/7/")).toBe("accepted");
    expect(await list("users/7/b/../../8/")).toBe("MALFORMED");
    for (const prefix of ["", "users/../7"])
      expect(() => azure.sign({ ...sas, resource: undefined, prefix })).toThrow();
  });

  it("is refused by the verifier of Swift unless it is configured", async () => {
    const key = { account: "AUTH_a", key: "mykey" };
    const object = { container: "media", object: "users/77/a.txt", prefix: "users/7", prefixMatch: "text" } as const;
    const { url } = swiftSigner({ ...key, endpoint: ORIGIN, digest: "sha256", clock }).sign({ ...object, ...life });
    const request = { method: "GET", target: url.replace(ORIGIN, ""), authority, headers: [] };
    expect(await verdictOf(swiftVerifier({ ...verifying, keys: key }).verify(request))).toBe("KEY_SCOPE");
  });
});
