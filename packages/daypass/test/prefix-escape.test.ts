import { describe, expect, it } from "vitest";
import type { SignedForm } from "../src/forms/form.ts";
import { type Grant, isDaypassError, type ObligationKind, type SignedRequest, type Verifier } from "../src/index.ts";
import { akamaiSigner, akamaiVerifier } from "../src/schemes/akamai/index.ts";
import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../src/schemes/azure/index.ts";
import { bunnySigner, bunnyVerifier } from "../src/schemes/bunny/index.ts";
import { cloudCdnCookieSigner, cloudCdnSigner, cloudCdnVerifier } from "../src/schemes/cloud-cdn/index.ts";
import { cloudfrontCookieSigner, cloudfrontSigner, cloudfrontVerifier } from "../src/schemes/cloudfront/index.ts";
import {
  gcsFormSigner,
  gcsFormVerifier,
  gcsHmacFormSigner,
  gcsHmacFormVerifier,
} from "../src/schemes/gcs/form/index.ts";
import { mediaCdnCookieSigner, mediaCdnSigner, mediaCdnVerifier } from "../src/schemes/media-cdn/index.ts";
import { mediaCdnTokenSigner, mediaCdnTokenVerifier } from "../src/schemes/media-cdn/token/index.ts";
import { s3FormSigner, s3FormVerifier } from "../src/schemes/s3/form/index.ts";
import { s3FormV2Signer, s3FormV2Verifier } from "../src/schemes/s3/form/v2/index.ts";
import { swiftSigner, swiftVerifier } from "../src/schemes/swift/index.ts";
import { uriSigningRegex, uriSigningSigner, uriSigningVerifier } from "../src/schemes/uri-signing/index.ts";
import { urlSigner, urlVerifier } from "../src/schemes/url/index.ts";
import { DELEGATION_KEY } from "./azure/fixture.ts";
import { RSA } from "./cloudfront/keys.ts";
import { account, hmacKey, publicAccount } from "./gcs/account.ts";

// A grant for a prefix opens nothing beside it: no dot segments lead out, and no folder whose name only begins alike is in.

const AT = new Date("2026-01-02T03:04:05Z");
const clock = (): Date => AT;
const enforces: readonly ObligationKind[] = ["body-length", "create-only"];
const HOST = "media.example.com";
const origins = [`https://${HOST}`];
const verifying = { clock, enforces, origins };
const life = { expiresIn: 900 };
const edge = { url: `https://${HOST}/users/7/a.txt`, ...life };

/** A grant for everything below a prefix: what a holder of it may ask for is `ask` with another path. */
interface PrefixGrant {
  readonly name: string;
  /** `"accepted"` or the code of the refusal, for the rest of a path after `/…/users/7/`. */
  readonly ask: (below: string) => Promise<string>;
  /** Such as `users/8/a`: the same for a path beside the prefix. A container has none. */
  readonly askBeside: ((path: string) => Promise<string>) | undefined;
}

async function outcome(verified: Promise<unknown>): Promise<string> {
  try {
    await verified;
    return "accepted";
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
}

type Signed = Pick<SignedRequest, "url"> | { readonly cookies: Readonly<Record<string, string>> };

/** A row whose signed path has `users/7/a.txt` in it. */
function byPath(name: string, sign: () => Signed | Promise<Signed>, verifier: Verifier<Grant>): PrefixGrant {
  const asked = async (path: string): Promise<string> => {
    const signed = await sign();
    const { url, cookie } =
      "url" in signed
        ? { url: signed.url, cookie: undefined }
        : {
            url: edge.url,
            cookie: Object.entries(signed.cookies)
              .map(([key, value]) => `${key}=${value}`)
              .join("; "),
          };
    const target = url.replace(/^https:\/\/[^/]+/, "").replace("users/7/a.txt", () => path);
    const authority = /^https:\/\/([^/]+)/.exec(url)?.[1] as string;
    const headers = cookie === undefined ? [] : [["cookie", cookie] as const];
    return outcome(verifier.verify({ method: "GET", target, authority, headers }));
  };
  return { name, ask: (below) => asked(`users/7/${below}`), askBeside: asked };
}

/** A row of a form whose key begins with `users/7/`. */
function byForm(
  name: string,
  sign: () => SignedForm | Promise<SignedForm>,
  verifier: { verify(form: { bucket: string; fields: readonly (readonly [string, string])[] }): Promise<unknown> },
): PrefixGrant {
  const asked = async (key: string): Promise<string> => {
    const { fields } = await sign();
    return outcome(verifier.verify({ bucket: "media", fields: Object.entries({ ...fields, key }) }));
  };
  return { name, ask: (below) => asked(`users/7/${below}`), askBeside: asked };
}

const key = { kty: "oct", alg: "HS256", kid: "k1", k: Buffer.alloc(32, 3).toString("base64url") } as const;
const HEX = "52a152a152a152a152a152a152a152a1";
const aws = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const google = { keyName: "my-key", key: "nZtRohdNF9m3cKM24IcK4w==" };
// RFC 8032 section 7.1, test 1.
const media = { keyName: "edge", privateKey: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", clock };
const mediaKeys = { keyName: "edge", publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
const secret = { secret: Buffer.alloc(32, 1).toString("base64url") };
const cloudfront = { keyPairId: "K2JCJMDEHXQW5F", privateKey: RSA.privateKey, hash: "sha256", clock } as const;
const cloudfrontKeys = { keyPairId: "K2JCJMDEHXQW5F", publicKey: RSA.publicKey, hashes: ["sha256"] } as const;
const azureKey = { account: "myaccount", accountKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" };
const azureStyle = { account: "myaccount", endpoint: `https://${HOST}/myaccount`, clock };
const azure = azureSigner({ ...azureStyle, credentials: azureKey });
const delegated = azureUserDelegationSigner({ ...azureStyle, credentials: { userDelegationKey: DELEGATION_KEY } });
const azureSas = { container: "media", permissions: "r", ...life };
/** The SAS of a directory or container on one of its blobs. */
const onBlob = ({ url }: SignedRequest) => ({
  url: url.replace(/^[^?]+/, `https://${HOST}/myaccount/media/users/7/a.txt`),
});
const bunny = bunnySigner({ secret: "SecurityKey", clock });
const akamai = akamaiSigner({ secret: HEX, clock });
const cloudCdn = cloudCdnSigner({ ...google, clock });
const token = mediaCdnTokenSigner({ key: secret, clock });
const swiftKey = { account: "AUTH_a", key: "mykey" };
const swift = swiftSigner({ ...swiftKey, endpoint: `https://${HOST}`, digest: "sha256", clock });
const below = { bucket: "media", prefix: "users/7/", ...life };

const limited: readonly PrefixGrant[] = [
  byPath(
    "azure, directory",
    () => onBlob(azure.sign({ ...azureSas, prefix: "users/7/" })),
    azureVerifier({ ...verifying, credentials: azureKey }),
  ),
  byPath(
    "azure, directory by user delegation",
    async () => onBlob(delegated.sign({ ...azureSas, prefix: "users/7/" })),
    azureUserDelegationVerifier({
      ...verifying,
      credentials: { account: "myaccount", userDelegationKey: DELEGATION_KEY },
    }),
  ),
  byPath(
    "swift",
    () => swift.sign({ container: "media", object: "users/7/a.txt", prefix: "users/7/", ...life }),
    swiftVerifier({ ...verifying, keys: swiftKey }),
  ),
  byPath(
    "url",
    () => urlSigner({ key, clock }).sign({ ...edge, prefix: "/users/7/" }),
    urlVerifier({ ...verifying, keys: [key] }),
  ),
  byPath(
    "cloudfront",
    () => cloudfrontSigner(cloudfront).sign({ ...edge, prefix: "/users/7/" }),
    cloudfrontVerifier({ ...verifying, keys: cloudfrontKeys }),
  ),
  byPath(
    "cloudfront, cookies",
    () => cloudfrontCookieSigner(cloudfront).sign({ resource: `https://${HOST}/users/7/*`, ...life }),
    cloudfrontVerifier({ ...verifying, keys: cloudfrontKeys }),
  ),
  byPath(
    "uri-signing",
    () => uriSigningSigner({ key, clock }).sign({ ...edge, prefix: "/users/7/" }),
    uriSigningVerifier({ ...verifying, keySets: [{ keys: [key] }], regex: uriSigningRegex }),
  ),
  byPath(
    "bunny",
    () => bunny.sign({ ...edge, prefix: "/users/7/" }),
    bunnyVerifier({ ...verifying, secrets: "SecurityKey" }),
  ),
  byPath("akamai", () => akamai.sign({ ...edge, prefix: "/users/7/" }), akamaiVerifier({ ...verifying, secrets: HEX })),
  byPath(
    "akamai, acl",
    () => akamai.sign({ ...edge, acl: ["/users/7/*"] }),
    akamaiVerifier({ ...verifying, secrets: HEX }),
  ),
  byPath(
    "cloud-cdn",
    () => cloudCdn.sign({ ...edge, prefix: "/users/7/" }),
    cloudCdnVerifier({ ...verifying, keys: google }),
  ),
  byPath(
    "cloud-cdn, cookie",
    () => cloudCdnCookieSigner({ ...google, clock }).sign({ url: `https://${HOST}/users/7/`, ...life }),
    cloudCdnVerifier({ ...verifying, keys: google }),
  ),
  byPath(
    "media-cdn",
    () => mediaCdnSigner(media).sign({ ...edge, prefix: "/users/7/" }),
    mediaCdnVerifier({ ...verifying, keys: mediaKeys }),
  ),
  byPath(
    "media-cdn, cookie",
    () => mediaCdnCookieSigner(media).sign({ url: `https://${HOST}/users/7/`, ...life }),
    mediaCdnVerifier({ ...verifying, keys: mediaKeys }),
  ),
  byPath(
    "media-cdn/token",
    () => token.sign({ ...edge, prefix: "/users/7/" }),
    mediaCdnTokenVerifier({ ...verifying, keys: secret }),
  ),
  byPath(
    "media-cdn/token, globs",
    () => token.sign({ ...edge, pathGlobs: ["/users/7/*"] }),
    mediaCdnTokenVerifier({ ...verifying, keys: secret }),
  ),
  byForm(
    "s3/form",
    () => s3FormSigner({ region: "eu-west-1", credentials: aws, clock }).sign(below),
    s3FormVerifier({ credentials: aws, clock, enforces }),
  ),
  byForm(
    "s3/form/v2",
    () => s3FormV2Signer({ region: "eu-west-1", credentials: aws, clock }).sign(below),
    s3FormV2Verifier({ credentials: aws, clock, enforces }),
  ),
  byForm(
    "gcs/form",
    () => gcsFormSigner({ credentials: account, clock }).sign(below),
    gcsFormVerifier({ keys: publicAccount, clock, enforces }),
  ),
  byForm(
    "gcs/form by HMAC",
    () => gcsHmacFormSigner({ credentials: hmacKey, clock }).sign(below),
    gcsHmacFormVerifier({ keys: hmacKey, clock, enforces }),
  ),
];

/** Grants for a whole container or account: there is no path beside them, but one may be climbed out of. */
const wide: readonly PrefixGrant[] = [
  byPath(
    "azure, container",
    () => onBlob(azure.sign(azureSas)),
    azureVerifier({ ...verifying, credentials: azureKey }),
  ),
  byPath(
    "azure, account",
    () =>
      onBlob(
        azureAccountSigner({ ...azureStyle, credentials: azureKey }).sign({
          permissions: "r",
          resourceTypes: "o",
          ...life,
        }),
      ),
    azureAccountVerifier({ ...verifying, credentials: azureKey }),
  ),
];

// Each leads out of the prefix for whoever decodes, collapses or takes `\` for `/` once more than the verifier did.
const CLIMBS: readonly string[] = [
  "../8/secret",
  "x\\..\\..\\8",
  "..",
  "./../8/secret",
  "x/../../8/secret",
  "%2e%2e/8/secret",
  "%2E%2e/8/secret",
  ".%2e/8/secret",
  "..%2F8%2Fsecret",
  "..%5C8%5Csecret",
  "%2e%2e%2f8",
  "x%2F..%2F..%2F8",
  "x%5C..%5C..%5C8",
  "%252e%252e/8/secret",
  "%252e%252e%252f8",

  "..%3b/8/secret",
  "..;/8/secret",
];

describe.each(limited)("a prefix grant of $name", ({ name, ask, askBeside }) => {
  it("opens what is below the prefix", async () => {
    expect(await ask("a.txt")).toBe("accepted");
    expect(await ask("deep/b..c/d.txt")).toBe("accepted");
  });

  it.each(CLIMBS)("cannot be climbed out of with %s", async (climb) => {
    // The key of a form is data: nobody decodes it, or knows parameters in it.
    if (name.includes("form") && /[%;]/.test(climb)) return;
    expect(await ask(climb)).not.toBe("accepted");
  });

  it("does not open its neighbours, nor what begins with the same letters", async () => {
    for (const path of ["users/8/a.txt", "users/77/a.txt", "users/7x/a.txt", "users/7", "users/", "users"]) {
      // A cookie of Google's and a directory of Azure's are for their own name, too.
      if (path === "users/7" && (await askBeside?.(path)) === "accepted") continue;
      expect(await askBeside?.(path), path).not.toBe("accepted");
    }
  });
});

describe.each(wide)("a grant of $name", ({ ask }) => {
  it("opens what is in it", async () => {
    expect(await ask("a.txt")).toBe("accepted");
    // Azure's own libraries spell a blob's slashes so.
    expect(await ask("deep%2Fb..c%2Fd.txt")).toBe("accepted");
  });

  it.each(CLIMBS)("cannot be climbed out of with %s", async (climb) => {
    expect(await ask(climb)).toBe("MALFORMED");
    expect(await ask(`../../../../other/${climb}`)).toBe("MALFORMED");
  });
});

// Row 4: `merchants/12` would open `merchants/123`, and an empty prefix everything.
describe.each<readonly [string, (prefix: string) => unknown]>([
  ["url", (prefix) => urlSigner({ key, clock }).sign({ ...edge, prefix })],
  ["cloudfront", (prefix) => cloudfrontSigner(cloudfront).sign({ ...edge, prefix })],
  ["uri-signing", (prefix) => uriSigningSigner({ key, clock }).sign({ ...edge, prefix })],
  ["bunny", (prefix) => bunny.sign({ ...edge, prefix })],
  ["akamai", (prefix) => akamai.sign({ ...edge, prefix })],
  ["cloud-cdn", (prefix) => cloudCdn.sign({ ...edge, prefix })],
  ["media-cdn", (prefix) => mediaCdnSigner(media).sign({ ...edge, prefix })],
  ["media-cdn/token", (prefix) => token.sign({ ...edge, prefix })],
  ["s3/form", (prefix) => s3FormSigner({ region: "eu-west-1", credentials: aws, clock }).sign({ ...below, prefix })],
  ["gcs/form", (prefix) => gcsHmacFormSigner({ credentials: hmacKey, clock }).sign({ ...below, prefix })],
])("a signer of %s", (_, sign) => {
  it.each(["", "users/7", "/users/7", "/users/7/../", "../"])("signs no prefix %j", async (prefix) => {
    expect(await outcome((async () => sign(prefix))())).not.toBe("accepted");
  });
});

describe("a sloppy prefix", () => {
  it("of a directory of Azure's ends with its segment", async () => {
    const sas = onBlob(azure.sign({ ...azureSas, prefix: "users/7" })).url.replace(/^.*\?/, "");
    const verifier = azureVerifier({ ...verifying, credentials: azureKey });
    const ask = (path: string) =>
      outcome(verifier.verify({ method: "GET", target: `${path}?${sas}`, authority: HOST, headers: [] }));
    expect(await ask("/myaccount/media/users/7/a.txt")).toBe("accepted");
    expect(await ask("/myaccount/media/users/77/a.txt")).not.toBe("accepted");
    const listing = azure.sign({ ...azureSas, permissions: "l", prefix: "users/7" }).url.replace(/^.*\?/, "");
    const list = (prefix: string) => {
      const target = `/myaccount/media?restype=container&comp=list&prefix=${prefix}&${listing}`;
      return outcome(verifier.verify({ method: "GET", target, authority: HOST, headers: [] }));
    };
    expect(await list("users/7/")).toBe("accepted");
    expect(await list("users/7/b/../../8/")).toBe("MALFORMED");
    expect(() => azure.sign({ ...azureSas, prefix: "" })).toThrow();
    expect(() => azure.sign({ ...azureSas, prefix: "users/../7" })).toThrow();
  });

  it("of Swift, which compares texts, is refused by the verifier unless it is told to", async () => {
    const sloppy = swiftSigner({ ...swiftKey, endpoint: `https://${HOST}`, digest: "sha256", clock });
    const { url } = sloppy.sign({
      container: "media",
      object: "users/77/a.txt",
      prefix: "users/7",
      prefixMatch: "text",
      ...life,
    });
    const target = url.replace(`https://${HOST}`, "");
    const request = { method: "GET", target, authority: HOST, headers: [] };
    expect(await outcome(swiftVerifier({ ...verifying, keys: swiftKey }).verify(request))).toBe("KEY_SCOPE");
  });
});
