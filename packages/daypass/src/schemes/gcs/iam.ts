import { DaypassError, isDaypassError } from "../../core/errors.ts";
import { base64, fromBase64 } from "../../wire/encoding.ts";
import { checkEmail, type GcsRemoteAccount } from "./credentials.ts";

/** The part of `fetch` that is used. */
export type IamFetch = (
  url: string,
  init: { readonly method: "POST"; readonly headers: Record<string, string>; readonly body: string },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

/** Options of {@link iamCredentials}. */
export interface IamOptions {
  /** Address of the service account that signs. */
  readonly serviceAccount: string;
  /**
   * An OAuth 2 access token with the scope `cloud-platform` or `iam`, or a function that returns one, called before each
   * signature. With a `GoogleAuth` of google-auth-library, pass `() => auth.getAccessToken()`; its clients return an
   * object, whose `token` it is.
   */
  readonly token: string | (() => Promise<string | null | undefined>);
  /** The runtime's own by default. Give one with a time limit, a proxy or retries. */
  readonly fetch?: IamFetch | undefined;
  /** Addresses of the accounts that the caller of the API goes through to reach the signing account. */
  readonly delegates?: readonly string[] | undefined;
  /** `googleapis.com` by default. */
  readonly universeDomain?: string | undefined;
  /** `https://iamcredentials.<universeDomain>` by default. */
  readonly endpoint?: string | undefined;
}

// Every runtime has `fetch`, but the library is compiled without the types of a runtime.
declare const fetch: IamFetch;

/**
 * Signs with the key that Google holds for a service account (IAM's `signBlob`): no key file is needed. One request per
 * signature; `signMany` keeps sixteen of them in progress. Google rotates these keys, so URLs valid for more than 12 hours
 * get a warning.
 *
 * Source: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
 *
 * @throws {DaypassError} `INVALID_KEY`: at once for an invalid address; from a signature if IAM refuses: it names the
 * missing permission and has the HTTP status in `details.status` (0 if there was no response)
 * @example
 * ```ts
 * import { gcsSigner, iamCredentials } from "daypass/gcs";
 *
 * export const signer = (token: () => Promise<string>) =>
 *   gcsSigner({ credentials: iamCredentials({ serviceAccount: "app@project.iam.gserviceaccount.com", token }) });
 * ```
 */
export function iamCredentials(options: IamOptions): GcsRemoteAccount {
  const { serviceAccount, token, universeDomain, delegates = [] } = options;
  const { endpoint = `https://iamcredentials.${universeDomain ?? "googleapis.com"}` } = options;
  const url = `${endpoint}/v1/${resource(serviceAccount)}:signBlob`;
  const through = delegates.map(resource);
  const send = options.fetch ?? fetch;
  return {
    client_email: serviceAccount,
    universe_domain: universeDomain,
    keyLife: 43_200,
    async signBytes(bytes) {
      let status = 0;
      try {
        const bearer = typeof token === "string" ? token : await token();
        // Or IAM would be sent the word "undefined" or "[object Object]"; one with a line feed `fetch` refuses and shows as a whole.
        if (typeof bearer !== "string" || !/^[!-~]+\s*$/.test(bearer)) throw refused(serviceAccount, status, NO_TOKEN);
        const answer = await send(url, {
          method: "POST",
          headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
          body: JSON.stringify({ delegates: through, payload: base64(bytes) }),
        });
        status = answer.status;
        const body: unknown = JSON.parse(await answer.text());
        const signature = status === 200 ? fromBase64(String(member(body, "signedBlob"))) : undefined;
        if (signature?.length) return signature;
        throw refused(serviceAccount, status, member(body, "error"));
      } catch (cause) {
        throw isDaypassError(cause) ? cause : refused(serviceAccount, status, undefined, cause);
      }
    },
  };
}

const NO_TOKEN = { message: "the option token gave no access token as text" };

function resource(email: string): string {
  return `projects/-/serviceAccounts/${checkEmail(email)}`;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** IAM's message is for the operator of the signer. It never contains a token. */
function refused(account: string, status: number, error: unknown, cause?: unknown): DaypassError {
  const said = member(error, "message") ?? (status === 0 ? "no answer" : "no signature in the answer");
  const reason = String(said).replace(/\.$/, "");
  const advice =
    status === 403 || status === 404
      ? "grant the caller roles/iam.serviceAccountTokenCreator on that account (on itself, too), and enable the IAM Service Account Credentials API"
      : status === 401 || error === NO_TOKEN
        ? "get a fresh token with the scope cloud-platform"
        : "try again";
  return new DaypassError(
    "INVALID_KEY",
    `IAM did not sign for ${account}: HTTP ${status}, ${reason}. It needs the permission iam.serviceAccounts.signBlob: ${advice}`,
    { details: { status, permission: "iam.serviceAccounts.signBlob", serviceAccount: account }, cause },
  );
}
