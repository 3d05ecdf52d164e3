import { fromBase64url, latin1 } from "../encode.ts";
import type { SplitUrl } from "./explainer.ts";
import { readParameters } from "./parameters.ts";

/** A URL that opens something in a way that is no signature known here: what it is, and what may be wrong with it. */
interface Foreign {
  readonly host?: RegExp;
  readonly path?: RegExp;
  /** What is said of it. `undefined` where it is another one after all. */
  says(parameter: (name: string) => string | undefined): string | undefined;
}

const FOREIGN: readonly Foreign[] = [
  {
    path: /^\/(?:storage\/v1\/)?object\/(?:upload\/)?sign\//,
    says(parameter) {
      const token = parameter("token");
      if (token === undefined)
        return "a signed URL of Supabase Storage with its token, found none: the query was cut off, or the library handed out the path alone. Take the whole URL";
      const end = endOfJwt(token);
      return `a URL that is signed by its parameters, found one of Supabase Storage, whose token is a JSON Web Token${end === undefined ? "" : ` that ends at ${end.toISOString()}`}: it is for one path, and dies with the project's JWT secret`;
    },
  },
  {
    host: /^firebasestorage\.googleapis\.com$/,
    path: /^\/v0\/b\//,
    says: (parameter) =>
      `a signed URL, found Firebase's address of an object ${parameter("token") === undefined ? "without" : "with"} its download token: that is no signature and has no end. The token stands in the object's metadata (firebaseStorageDownloadTokens), and whoever replaces it there ends all such links`,
  },
  {
    host: /\.b-cdn\.net$/,
    says: (parameter) =>
      parameter("token") === undefined
        ? undefined
        : "a token of Bunny's that begins with HS256-, found one of its older kinds or of another signer: sign with HMAC-SHA256, as Bunny's documentation has it, over key, path, end and the sorted parameters",
  },
];

/** What a URL is that no explainer knows, as the end of a refusal. */
export function foreignUrl(url: SplitUrl): string | undefined {
  const parameters = new Map(readParameters(url));
  const host = url.authority.replace(/:\d+$/, "").toLowerCase();
  return FOREIGN.find(({ host: hosts = /^/, path = /^/ }) => hosts.test(host) && path.test(url.wire.path))?.says(
    (name) => parameters.get(name),
  );
}

/** The end that a JSON Web Token tells. It is read, and not verified. */
function endOfJwt(token: string): Date | undefined {
  try {
    const [, claims = ""] = token.split(".");
    const { exp } = JSON.parse(latin1(fromBase64url(claims) ?? new Uint8Array())) ?? {};
    const end = new Date(Number(exp) * 1000);
    return exp === undefined || Number.isNaN(end.getTime()) ? undefined : end;
  } catch {
    return undefined;
  }
}
